// The official `@anthropic-ai/sdk` for Node.js, Messages.

import { BIRD, BOTH, LONG, PDF, PICTURE, QUESTION, TIME, WEATHER, demand, key, listening, model, thrown, tryAll, url } from "./trial.mjs";

const { default: Anthropic } = await import(process.env.COMPAT_MODULE);
const client = new Anthropic({ baseURL: url, apiKey: key, fetch: listening, maxRetries: 0 });

const talk = (content) => (Array.isArray(content) && content[0].role ? content : [{ role: "user", content }]);
const whole = (content, more) => ({ max_tokens: 4096, messages: talk(content), ...more, model: model(more.model ?? "rules") });
const ask = (content, more = {}) => client.messages.create(whole(content, more));
const gather = (content, more = {}) => client.messages.stream(whole(content, more)).finalMessage();
const words = (message) => message.content.filter((block) => block.type === "text").map((block) => block.text).join("");
const calls = (message) => message.content.filter((block) => block.type === "tool_use");
const thoughts = (message) => message.content.filter((block) => block.type === "thinking").map((block) => block.thinking).join("");
const text = async (content, more) => words(await ask(content, more));

const tool = (name, input_schema) => ({ name, description: `Get the ${name}.`, input_schema });
const TOOLS = [tool("weather", WEATHER), tool("time", TIME)];
const call = (id, name) => ({ type: "tool_use", id, name, input: { city: "Paris" } });
const result = (tool_use_id, content, more = {}) => ({ type: "tool_result", tool_use_id, content, ...more });
const called = (...made) => [{ role: "user", content: BOTH }, { role: "assistant", content: made }];
const picture = { type: "image", source: { type: "base64", media_type: "image/png", data: PICTURE } };
const THINKING = { type: "enabled", budget_tokens: 2048 };

function isWeather(message) {
  demand(message.stop_reason === "tool_use", message.stop_reason);
  const [made] = calls(message);
  demand(made.id && made.name === "weather" && made.input.city === "Paris");
}

await tryAll({
  async text() {
    const said = await text("Good morning", { model: "mirror", system: "Be brief." });
    demand(said.includes("Be brief.") && said.includes("Good morning"), said);
  },
  async history() {
    const turns = [["user", "one"], ["assistant", "two"], ["user", "three"]].map(([role, content]) => ({ role, content }));
    demand(/one.*two.*three/s.test(await text(turns, { model: "mirror" })));
  },
  async stream() {
    const message = await gather("count to 12");
    demand(words(message).includes("12") && message.stop_reason === "end_turn");
  },
  async unicode() {
    demand(words(await gather("请重复：一只🐦在飞行")).includes("一只🐦在飞行"));
  },
  async usage() {
    const { usage } = await ask(LONG, { model: "meters" });
    demand(usage.input_tokens > 0 && usage.output_tokens > 0 && usage.cache_read_input_tokens > 0);
  },
  async stream_usage() {
    const { usage } = await gather(LONG, { model: "meters" });
    demand(usage.input_tokens > 0 && usage.output_tokens > 0 && usage.cache_read_input_tokens > 0);
  },
  async length() {
    demand((await ask("count to 100", { max_tokens: 12 })).stop_reason === "max_tokens");
  },
  async stop() {
    const said = await text("count to 20", { stop_sequences: ["7"] });
    demand(said.includes("6") && !said.includes("8"), said);
  },
  async tool_call() {
    isWeather(await ask(QUESTION, { tools: TOOLS }));
  },
  async stream_tool_call() {
    isWeather(await gather(QUESTION, { tools: TOOLS }));
  },
  async parallel() {
    for (const message of [await ask(BOTH, { tools: TOOLS }), await gather(BOTH, { tools: TOOLS })]) {
      demand(calls(message).map((one) => one.name).sort().join() === "time,weather");
      demand(new Set(calls(message).map((one) => one.id)).size === 2);
    }
  },
  async tool_result() {
    const said = { role: "user", content: [result("toolu_a", "sunny, 21 degrees"), result("toolu_b", "ten past nine")] };
    const answer = await text([...called(call("toolu_a", "weather"), call("toolu_b", "time")), said], { tools: TOOLS });
    demand(answer.includes("21 degrees") && answer.includes("ten past nine"), answer);
  },
  async tool_error() {
    const said = { role: "user", content: [result("toolu_a", "the station is silent", { is_error: true })] };
    demand((await text([...called(call("toolu_a", "weather")), said], { tools: TOOLS })).includes("the station is silent"));
  },
  async forced() {
    const [made] = calls(await ask("Hello there", { tools: TOOLS, tool_choice: { type: "tool", name: "time" } }));
    demand(made.name === "time");
  },
  async no_tool() {
    const message = await ask(QUESTION, { tools: TOOLS, tool_choice: { type: "none" } });
    demand(!calls(message).length && words(message));
  },
  async schema() {
    const said = JSON.parse(await text("Tell me about a bird", { output_config: { format: { type: "json_schema", schema: BIRD } } }));
    demand(Object.keys(said).sort().join() === "migrates,name,wingspan_cm");
  },
  async image() {
    demand((await text([{ type: "text", text: "What is this?" }, picture])).toLowerCase().includes("red"));
  },
  async image_result() {
    const shown = { role: "user", content: [result("toolu_a", [{ type: "text", text: "a screenshot" }, picture])] };
    demand((await text([...called(call("toolu_a", "weather")), shown], { tools: TOOLS })).toLowerCase().includes("red"));
  },
  async pdf() {
    const source = { type: "base64", media_type: "application/pdf", data: PDF };
    demand((await text([{ type: "document", source }, { type: "text", text: "What is this?" }])).toLowerCase().includes("pdf"));
  },
  async reasoning() {
    const message = await ask("Good morning", { model: "think", thinking: THINKING });
    demand(thoughts(message) && words(message));
  },
  async stream_reasoning() {
    const message = await gather("Good morning", { model: "think", thinking: THINKING });
    demand(thoughts(message) && words(message));
  },
  async reasoning_loop() {
    const more = { model: "think", tools: TOOLS, thinking: THINKING };
    const first = await ask(QUESTION, more);
    const said = { role: "user", content: [result(calls(first)[0].id, "sunny, 21 degrees")] };
    const turns = [{ role: "user", content: QUESTION }, { role: "assistant", content: first.content }, said];
    demand((await text(turns, more)).includes("21 degrees"));
  },
  async refusal() {
    demand((await ask("Good morning", { model: "filtered" })).stop_reason === "refusal");
  },
  async busy() {
    await thrown(Anthropic.RateLimitError, () => ask("Good morning", { model: "busy-429" }));
  },
  async broken_stream() {
    await thrown(Anthropic.AnthropicError, () => gather("count to 20", { model: "error-mid-stream" }));
  },
  async wrong() {
    const error = await thrown(Anthropic.BadRequestError, () => ask([{ role: 5, content: "Hi" }]));
    demand(/messages[.[]0\]?\.role/.test(error.message), error.message);
  },
  async count() {
    const counted = await client.messages.countTokens({ model: model("rules"), messages: talk(LONG) });
    demand(counted.input_tokens > 50);
  },
});
