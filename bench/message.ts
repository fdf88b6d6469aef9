/** The message of the bench: a card event as JSON, 2.1 KB, the same bytes every time. */

const bodyBytes = 2_100;
export const messagePath = '/ehi/messages';

/** What the host answers, and the peer `node` in its place. ASCII: its length is its number of bytes. */
export const acknowledgement = JSON.stringify({
  Acknowledgement: '1',
  Responsestatus: '00',
  CurBalance: '120.55',
});

/** The whole request; with `Connection: close` the connection carries this one message. */
export function makeMessage(options: { port: number; close: boolean; token?: string | undefined }): Buffer {
  const body = makeBody();
  const fields = [
    `POST ${messagePath} HTTP/1.1`,
    `Host: 127.0.0.1:${options.port}`,
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
    'traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
    ...(options.token === undefined ? [] : [`Authorization: Bearer ${options.token}`]),
    ...(options.close ? ['Connection: close'] : []),
  ];
  return Buffer.from(`${fields.join('\r\n')}\r\n\r\n${body}`);
}

function makeBody(): string {
  const event: Record<string, string> = { MTID: '0100', Txn_Type: 'A', Txn_Ctry: 'GBR', Txn_CCy: '826' };
  for (let field = 1; JSON.stringify(event).length < bodyBytes - 64; field += 1) {
    event[`Field_${field}`] = `value ${field} of the event`;
  }
  const bare = JSON.stringify({ ...event, Note: '' }).length;
  return JSON.stringify({ ...event, Note: 'x'.repeat(bodyBytes - bare) });
}
