/** @returns what a text says, or undefined if it is not JSON: a proxy answers in HTML */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
