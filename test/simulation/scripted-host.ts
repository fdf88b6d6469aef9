/** A host over real TLS that answers each message as scripted, and counts what it did. */
import type { Socket } from 'node:net';
import type { Message } from '../support/http/http.ts';
import type { Authority } from '../support/pki/authority.ts';
import { type Host, openHost, response } from '../support/process/host.ts';

/** What the host does with one request. */
export type Act =
  | 'acknowledge'
  | 'refuse'
  | 'late'
  | 'silent'
  | 'twice'
  | 'twice in two writes'
  | 'cut'
  | 'close'
  | 'misframe'
  | 'chunk'
  | 'untyped'
  | 'fail'
  | 'empty';

export interface ScriptedHost extends AsyncDisposable {
  readonly host: Host;
  /** How often it did each. */
  readonly done: ReadonlyMap<Act, number>;
  /** Id of a message → SendingAttemptCount of each of its requests, in order; null: it has none. */
  readonly attempts: ReadonlyMap<string, (number | null)[]>;
}

/** `script`: what to do with request `attempt` (from 0) of the message that came as number `index` (from 0). */
export async function openScriptedHost(options: {
  readonly authority: Authority;
  readonly script: (index: number, attempt: number) => Act;
  /** Milliseconds that a late answer takes. */
  readonly lateness?: number;
}): Promise<ScriptedHost> {
  const { authority, script, lateness = 0 } = options;
  const done = new Map<Act, number>();
  const attempts = new Map<string, (number | null)[]>();
  const server = authority.issueServer();
  const answer = (request: Message, socket: Socket) => {
    const { id, attempt } = identify(request);
    const earlier = attempts.get(id) ?? [];
    attempts.set(id, [...earlier, attempt]);
    const act = script([...attempts.keys()].indexOf(id), earlier.length);
    done.set(act, (done.get(act) ?? 0) + 1);
    const isXml = request.field('content-type') === 'application/xml';
    return perform(act, { socket, isXml, lateness });
  };
  const host = await openHost(
    { answer },
    {
      tls: {
        cert: server.chainPem,
        key: server.keyPem,
        ca: authority.anchorPem,
        requestCert: true,
        rejectUnauthorized: true,
      },
    },
  );
  return { host, done, attempts, [Symbol.asyncDispose]: () => host[Symbol.asyncDispose]() };
}

function identify({ body }: Message): { id: string; attempt: number | null } {
  const text = body.toString();
  const id = /(?:TXn_ID|CutOffId)"?[:>](\d+)/.exec(text)?.[1];
  const attempt = /SendingAttemptCount"?[:>](\d+)/.exec(text)?.[1];
  if (id === undefined) throw new Error(`a message without an id: ${text}`);
  return { id, attempt: attempt === undefined ? null : Number(attempt) };
}

function bodyOf(acknowledgement: string, isXml: boolean): string {
  return isXml
    ? `<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><Acknowledgement>${acknowledgement}</Acknowledgement></e:Body></e:Envelope>`
    : JSON.stringify({ Acknowledgement: acknowledgement, Responsestatus: '00' });
}

function perform(
  act: Act,
  { socket, isXml, lateness }: { socket: Socket; isXml: boolean; lateness: number },
): Buffer | string | null {
  const good = response({ body: bodyOf('1', isXml) });
  switch (act) {
    case 'acknowledge':
      return good;
    case 'refuse':
      return response({ body: bodyOf('0', isXml) });
    case 'late':
      setTimeout(() => socket.writable && socket.write(good), lateness);
      return null;
    case 'silent':
      return null;
    case 'twice':
      return Buffer.concat([good, good]);
    case 'twice in two writes':
      socket.write(good);
      setImmediate(() => socket.write(good));
      return null;
    case 'cut':
      socket.end(good.subarray(0, -5));
      return null;
    case 'close':
      socket.end();
      return null;
    case 'misframe':
      return 'HTTP/1.1 200 OK\nContent-Length: 2\n\n{}';
    case 'chunk':
      return `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n15\r\n{"Acknowledgement":1}\r\n0\r\n\r\n`;
    case 'untyped':
      return response({ fields: [], body: bodyOf('1', isXml) });
    case 'fail':
      return response({ status: '503 Service Unavailable', body: '{}' });
    case 'empty':
      return response({ body: isXml ? '<a/>' : '{}' });
    default:
      return act satisfies never;
  }
}
