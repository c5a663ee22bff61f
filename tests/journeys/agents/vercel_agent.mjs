// The Vercel AI SDK; API says over which of its providers: chat, responses or anthropic.
import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import { generateText, isStepCount, streamText, tool } from "ai";
import { z } from "zod";

const { API, BASE_URL, KEY, MODEL } = process.env;
const DEGREES = { Paris: "22 degrees", Oslo: "7 degrees", Rome: "27 degrees", Bergen: "5 degrees" };
const options = { baseURL: `${BASE_URL}/v1`, apiKey: KEY };
const model = {
  chat: () => createOpenAI(options).chat(MODEL),
  responses: () => createOpenAI(options).responses(MODEL),
  anthropic: () => createAnthropic(options)(MODEL),
}[API]();
const tools = {
  get_weather: tool({
    description: "Tell the temperature in a city.",
    inputSchema: z.object({ city: z.string() }),
    execute: async ({ city }) => DEGREES[city],
  }),
  difference: tool({
    description: "Subtract the second number from the first.",
    inputSchema: z.object({ first: z.number(), second: z.number() }),
    execute: async ({ first, second }) => first - second,
  }),
};
for (const [isStream, cities] of [[false, "Paris than Oslo"], [true, "Rome than Bergen"]]) {
  const messages = [];
  for (const question of [`How much warmer is ${cities}?`, "Which is the colder one?"]) {
    messages.push({ role: "user", content: question });
    const asked = { model, tools, messages, system: "You know the weather.", stopWhen: isStepCount(8), maxRetries: 0 };
    const done = isStream ? streamText(asked) : await generateText(asked);
    if (isStream) await done.consumeStream();
    console.log(await done.text);
    messages.push(...(await done.responseMessages));
  }
}
