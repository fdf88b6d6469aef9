/** Reads the acknowledgement from the body of an answer: EHI sends a message again until `Acknowledgement` is 1. */

/** `absent`: the body has no such field, or cannot be read as JSON or XML. */
export type Acknowledgement = 'acknowledged' | 'refused' | 'absent';

/** A byte order mark (U+FEFF in UTF-8), read as latin1: .NET writes it in front of JSON and XML. */
const bom = '\xef\xbb\xbf';

/** `body`: its bytes, read as latin1. JSON, with the field at the top or in the objects below it, or a SOAP answer. */
export function readAcknowledgement(body: string): Acknowledgement {
  const text = body.startsWith(bom) ? body.slice(bom.length) : body;
  const value = text.trimStart().startsWith('<') ? valueInXml(text) : valueInJson(text);
  if (value === null) return 'absent';
  return value.trim() === '1' ? 'acknowledged' : 'refused';
}

/** Objects of an answer in objects: enough for an envelope, and a bound for a hostile answer. */
const maxDepth = 4;

function valueInJson(body: string): string | null {
  try {
    return findValue(JSON.parse(body), 0);
  } catch {
    return null;
  }
}

function findValue(value: unknown, depth: number): string | null {
  if (typeof value !== 'object' || value === null || depth > maxDepth) return null;
  if ('Acknowledgement' in value) {
    const { Acknowledgement: found } = value;
    // Not a list: String([1]) is '1'.
    return typeof found === 'string' || typeof found === 'number' ? String(found) : '';
  }
  for (const inner of Object.values(value)) {
    const found = findValue(inner, depth + 1);
    if (found !== null) return found;
  }
  return null;
}

function valueInXml(body: string): string | null {
  return /<(?:[\w.-]+:)?Acknowledgement(?:\s[^<>]*)?>([^<]*)<\//.exec(body)?.[1] ?? null;
}
