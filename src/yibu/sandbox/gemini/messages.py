"""The messages of the API with their fields, read as Google's JSON parser for protocol buffers does.

Every field may be written in camelCase or snake_case; a name that the message does not have is an error.
Source: Google, *GenerateContentRequest*, *Content*, *Tool*, *GenerationConfig*, read 2026-11-22.
"""

from typing import Any

from yibu.sandbox.gemini.words import GeminiWords, camel
from yibu.sandbox.members import Members

FIELDS: dict[str, frozenset[str]] = {
    name: frozenset(fields.split())
    for name, fields in {
        "GenerateContentRequest": """model contents systemInstruction tools toolConfig safetySettings generationConfig
            cachedContent labels modelArmorConfig serviceTier store""",
        "CountTokensRequest": "contents generateContentRequest",
        "Content": "role parts",
        "Part": """text inlineData fileData functionCall functionResponse executableCode codeExecutionResult toolCall
            toolResponse thought thoughtSignature videoMetadata mediaResolution partMetadata""",
        "Blob": "mimeType data displayName",
        "FileData": "mimeType fileUri displayName",
        "FunctionCall": "id name args",
        "FunctionResponse": "id name response parts willContinue scheduling",
        "FunctionResponsePart": "inlineData fileData",
        "Tool": """functionDeclarations googleSearch googleSearchRetrieval codeExecution urlContext fileSearch googleMaps
            computerUse mcpServers""",
        "FunctionDeclaration": "name description parameters parametersJsonSchema response responseJsonSchema behavior",
        "Schema": """type format title description nullable enum items minItems maxItems properties required
            propertyOrdering minProperties maxProperties minimum maximum minLength maxLength pattern example anyOf default""",
        "ToolConfig": "functionCallingConfig retrievalConfig includeServerSideToolInvocations",
        "FunctionCallingConfig": "mode allowedFunctionNames",
        "SafetySetting": "category threshold method",
        "GenerationConfig": """temperature topP topK candidateCount maxOutputTokens stopSequences seed presencePenalty
            frequencyPenalty responseMimeType responseSchema responseJsonSchema responseModalities imageConfig speechConfig
            thinkingConfig responseLogprobs logprobs mediaResolution audioTimestamp enableEnhancedCivicAnswers routingConfig""",
        "ThinkingConfig": "includeThoughts thinkingBudget thinkingLevel",
    }.items()
}


def message(value: dict[str, Any], kind: str, path: str = "") -> Members:
    """An object as a message: names in camelCase, all known. Raises `Refusal` 400."""
    words = GeminiWords()
    for name in value:
        if camel(name) not in FIELDS[kind]:
            raise words.unknown(path, name)
    return Members({camel(name): item for name, item in value.items()}, path, words)


def inner(wire: Members, name: str, kind: str) -> Members:
    """The message in a field, an empty one when it is absent."""
    found = wire.object(name) if wire.has(name) else Members({}, wire.at(name), wire.words)
    return message(found.value, kind, found.path)


def each(wire: Members, name: str, kind: str) -> list[Members]:
    """The messages of a repeated field; a single object counts as one, as Google's parser has it."""
    value = wire.value.get(name)
    if isinstance(value, dict):
        return [message(value, kind, wire.at(name))]
    return [message(item.value, kind, item.path) for item in wire.objects(name)]
