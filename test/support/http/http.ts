/** A small HTTP/1.1 reader for test clients and hosts, independent of the gateway's codec. */

export interface Message {
  /** `POST / HTTP/1.1` or `HTTP/1.1 200 OK`. */
  readonly startLine: string;
  readonly fields: readonly (readonly [name: string, value: string])[];
  /** The first field of that name, whatever its case. */
  field(name: string): string | undefined;
  /** Payload, without chunk framing. */
  readonly body: Buffer;
  /** Exactly what was on the wire. */
  readonly raw: Buffer;
}

/** The status of a response. */
export function statusOf({ startLine }: Message): number {
  return Number(startLine.split(' ')[1]);
}

export interface TakeOptions {
  /** A response without framing lasts until the connection ends. */
  readonly ended?: boolean;
  /** The response has no body, whatever its fields: a response to HEAD. */
  readonly bodiless?: boolean;
}

/** The first complete message of the bytes, or null if it is incomplete. */
export function takeMessage(
  bytes: Buffer,
  { ended = false, bodiless = false }: TakeOptions = {},
): Message | null {
  const head = takeHead(bytes);
  if (head === null) return null;
  const rest = bytes.subarray(head.raw.length);
  const isResponse = head.startLine.startsWith('HTTP/');
  const status = isResponse ? statusOf(head) : 0;
  if (bodiless || (isResponse && (status < 200 || status === 204 || status === 304))) return head;

  if (head.field('transfer-encoding') !== undefined) return withBody(head, bytes, takeChunks(rest));
  const length = head.field('content-length');
  if (length === undefined && isResponse) {
    return ended ? withBody(head, bytes, { body: rest, length: rest.length }) : null;
  }
  const size = Number(length ?? 0);
  return rest.length < size ? null : withBody(head, bytes, { body: rest.subarray(0, size), length: size });
}

/** The head, once its empty line has arrived; null before. */
export function takeHead(bytes: Buffer): Message | null {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return null;
  const [startLine = '', ...lines] = bytes.toString('latin1', 0, end).split('\r\n');
  const fields = lines.map((line): [string, string] => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
  const field = (name: string) => fields.find(([each]) => each.toLowerCase() === name.toLowerCase())?.[1];
  return { startLine, fields, field, body: Buffer.alloc(0), raw: bytes.subarray(0, end + 4) };
}

interface Taken {
  readonly body: Buffer;
  readonly length: number;
}

function withBody(head: Message, bytes: Buffer, taken: Taken | null): Message | null {
  if (taken === null) return null;
  return {
    ...head,
    body: Buffer.from(taken.body),
    raw: Buffer.from(bytes.subarray(0, head.raw.length + taken.length)),
  };
}

function takeChunks(bytes: Buffer): Taken | null {
  const parts: Buffer[] = [];
  let at = 0;
  for (;;) {
    const line = bytes.indexOf('\r\n', at);
    if (line < 0) return null;
    const size = Number.parseInt(bytes.toString('latin1', at, line), 16);
    const next = line + 2 + size + 2;
    if (bytes.length < next) return null;
    if (size === 0) return { body: Buffer.concat(parts), length: next };
    parts.push(bytes.subarray(line + 2, next - 2));
    at = next;
  }
}
