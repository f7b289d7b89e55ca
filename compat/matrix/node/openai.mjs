// The official `openai` SDK for Node.js, Chat Completions.

import { BIRD, BOTH, LONG, PDF, PICTURE, QUESTION, TIME, WEATHER, cachesUnasked, demand, key, listening, model, thrown, tryAll, url } from "./trial.mjs";

const { default: OpenAI } = await import(process.env.COMPAT_MODULE);
const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: key, fetch: listening, maxRetries: 0 });

const talk = (content) => (Array.isArray(content) && content[0].role ? content : [{ role: "user", content }]);
const ask = (content, more = {}) =>
  client.chat.completions.create({ messages: talk(content), ...more, model: model(more.model ?? "rules") });
const text = async (content, more) => (await ask(content, more)).choices[0].message.content;
const gather = (content, more = {}) =>
  client.chat.completions
    .stream({ messages: talk(content), stream_options: { include_usage: true }, ...more, model: model(more.model ?? "rules") })
    .finalChatCompletion();

const tool = (name, parameters) => ({ type: "function", function: { name, description: `Get the ${name}.`, parameters } });
const TOOLS = [tool("weather", WEATHER), tool("time", TIME)];
const call = (id, name) => ({ id, type: "function", function: { name, arguments: '{"city":"Paris"}' } });
const result = (id, content) => ({ role: "tool", tool_call_id: id, content });

function isWeather(choice) {
  demand(choice.finish_reason === "tool_calls", choice.finish_reason);
  const [made] = choice.message.tool_calls;
  demand(made.id && made.function.name === "weather");
  demand(JSON.parse(made.function.arguments).city === "Paris");
}

function isMetered(usage) {
  demand(usage.total_tokens === usage.prompt_tokens + usage.completion_tokens);
  demand((usage.prompt_tokens_details.cached_tokens > 0 || !cachesUnasked) && usage.completion_tokens_details.reasoning_tokens > 0);
}

await tryAll({
  async text() {
    const said = await text([{ role: "system", content: "Be brief." }, { role: "user", content: "Good morning" }], { model: "mirror" });
    demand(said.includes("Be brief.") && said.includes("Good morning"), said);
  },
  async history() {
    const turns = [["user", "one"], ["assistant", "two"], ["user", "three"]].map(([role, content]) => ({ role, content }));
    demand(/one.*two.*three/s.test(await text(turns, { model: "mirror" })));
  },
  async stream() {
    const { choices } = await gather("count to 12");
    demand(choices[0].message.content.includes("12") && choices[0].finish_reason === "stop");
  },
  async unicode() {
    demand((await gather("请重复：一只🐦在飞行")).choices[0].message.content.includes("一只🐦在飞行"));
  },
  async usage() {
    isMetered((await ask(LONG, { model: "meters", reasoning_effort: "medium" })).usage);
  },
  async stream_usage() {
    isMetered((await gather(LONG, { model: "meters", reasoning_effort: "medium" })).usage);
  },
  async length() {
    demand((await ask("count to 100", { max_tokens: 12 })).choices[0].finish_reason === "length");
  },
  async stop() {
    const said = await text("count to 20", { stop: ["7"] });
    demand(said.includes("6") && !said.includes("8"), said);
  },
  async tool_call() {
    isWeather((await ask(QUESTION, { tools: TOOLS })).choices[0]);
  },
  async stream_tool_call() {
    isWeather((await gather(QUESTION, { tools: TOOLS })).choices[0]);
  },
  async parallel() {
    for (const answer of [await ask(BOTH, { tools: TOOLS }), await gather(BOTH, { tools: TOOLS })]) {
      const calls = answer.choices[0].message.tool_calls;
      demand(calls.map((one) => one.function.name).sort().join() === "time,weather");
      demand(new Set(calls.map((one) => one.id)).size === 2);
    }
  },
  async tool_result() {
    const turns = [{ role: "user", content: BOTH }, { role: "assistant", content: null, tool_calls: [call("call_a", "weather"), call("call_b", "time")] }];
    const said = await text([...turns, result("call_a", "sunny, 21 degrees"), result("call_b", "ten past nine")], { tools: TOOLS });
    demand(said.includes("21 degrees") && said.includes("ten past nine"), said);
  },
  async forced() {
    const { choices } = await ask("Hello there", { tools: TOOLS, tool_choice: { type: "function", function: { name: "time" } } });
    demand(choices[0].message.tool_calls[0].function.name === "time");
  },
  async no_tool() {
    const { message } = (await ask(QUESTION, { tools: TOOLS, tool_choice: "none" })).choices[0];
    demand(!message.tool_calls?.length && message.content);
  },
  async schema() {
    const form = { type: "json_schema", json_schema: { name: "bird", schema: BIRD, strict: true } };
    const said = JSON.parse(await text("Tell me about a bird", { response_format: form }));
    demand(Object.keys(said).sort().join() === "migrates,name,wingspan_cm");
  },
  async image() {
    const picture = { type: "image_url", image_url: { url: `data:image/png;base64,${PICTURE}` } };
    demand((await text([{ type: "text", text: "What is this?" }, picture])).toLowerCase().includes("red"));
  },
  async pdf() {
    const file = { type: "file", file: { filename: "page.pdf", file_data: `data:application/pdf;base64,${PDF}` } };
    demand((await text([{ type: "text", text: "What is this?" }, file])).toLowerCase().includes("pdf"));
  },
  async reasoning() {
    const { message } = (await ask("Good morning", { model: "think", reasoning_effort: "medium" })).choices[0];
    demand(message.reasoning_content && message.content);
  },
  async refusal() {
    demand((await ask("Good morning", { model: "filtered" })).choices[0].finish_reason === "content_filter");
  },
  async busy() {
    const error = await thrown(OpenAI.RateLimitError, () => ask("Good morning", { model: "busy-429" }));
    demand(error.code === "upstream_busy", error.code);
  },
  async broken_stream() {
    await thrown(OpenAI.OpenAIError, () => gather("count to 20", { model: "error-mid-stream" }));
  },
  async wrong() {
    const error = await thrown(OpenAI.BadRequestError, () => ask([{ role: 5, content: "Hi" }]));
    demand(error.param === "$.messages[0].role", error.param);
  },
});
