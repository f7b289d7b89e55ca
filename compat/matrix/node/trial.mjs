// One official SDK for Node.js on the matrix: runs its checks and prints what came of them as JSON.
//
// Environment: COMPAT_URL (of the gateway, without /v1), COMPAT_KEY, COMPAT_UPSTREAM.

import { readFileSync } from "node:fs";

export const { QUESTION, BOTH, LONG, WEATHER, TIME, BIRD, PICTURE, PDF } = JSON.parse(readFileSync(0, "utf8"));

export const url = process.env.COMPAT_URL;
export const key = process.env.COMPAT_KEY;
const REFUSED = "translation_loss"; // the code of an error that says what the other format has no word for
let losses = [];

/** The sandbox's model over the upstream of this trial. */
export const model = (name) => `${name}-on-${process.env.COMPAT_UPSTREAM}`;

/** Whether the upstream's vendor keeps long prompts by itself; Anthropic's keeps what is marked. */
export const cachesUnasked = process.env.COMPAT_UPSTREAM !== "anthropic";

/** `fetch` that remembers what answers declare as lost. */
export async function listening(...request) {
  const response = await fetch(...request);
  const said = response.headers.get("x-yibu-loss");
  if (said) losses.push(decodeURIComponent(said));
  return response;
}

export function demand(holds, words) {
  if (!holds) throw new Error(words ?? "not as expected");
}

/** What `act` throws, which must be of this kind. */
export async function thrown(kind, act) {
  try {
    await act();
  } catch (error) {
    if (error instanceof kind) return error;
    throw error;
  }
  throw new Error(`no ${kind.name}`);
}

/** Runs every check in turn; `checks`: by the id of the feature. */
export async function tryAll(checks) {
  const outcomes = {};
  for (const [id, check] of Object.entries(checks)) {
    losses = [];
    try {
      await check();
      outcomes[id] = ["ok", [...new Set(losses)].join("; ")];
    } catch (error) {
      const said = `${error?.constructor?.name}: ${error?.message}`.slice(0, 300);
      if (losses.length) outcomes[id] = ["declared", [...new Set(losses)].join("; ")];
      else outcomes[id] = [`${said} ${error?.code}`.includes(REFUSED) ? "declared" : "failed", said];
    }
  }
  process.stdout.write(JSON.stringify(outcomes));
}
