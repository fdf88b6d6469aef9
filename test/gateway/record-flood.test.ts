/** TLS records without data, which OpenSSL does not report: the gateway limits them, and serves other clients. */
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { statusOf } from '../support/http/http.ts';
import { post } from '../support/process/client.ts';
import { metricsWhen } from '../support/process/metrics.ts';
import { beginRawHandshake } from '../support/process/raw-handshake.ts';
import { openRecordWriter, type RecordWriter } from '../support/process/record-writer.ts';
import { handshakeFrom } from '../support/process/records.ts';
import { openStage, type Stage } from '../support/process/stage.ts';

const match = { organizationalUnit: 'Example organisation' };

const clients = { 'without a certificate': false, 'of a client that was let in': true };

/** Enough records for about a second of CPU of the thread. */
const floods: Readonly<Record<string, (writer: RecordWriter) => Buffer>> = {
  KeyUpdates: (writer) => writer.keyUpdates(15_000),
  // Within a header field that does not end.
  'records of one byte': (writer) =>
    writer.data([Buffer.from('GET / HTTP/1.1\r\nX: '), ...Array(15_000).fill(Buffer.from('x'))]),
};

describe.each<[string, Record<string, unknown>]>([
  ['an address on the allowlist', { clients: { allowlist: ['127.0.0.0/8'], match } }],
  ['an address that is not on an allowlist', {}],
])('from %s', (_, config) => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage({ config });
  });
  afterAll(() => stage[Symbol.asyncDispose]());

  const cases = Object.entries(floods).flatMap(([what, flood]) =>
    Object.entries(clients).map(([who, admitted]) => ({ what, who, flood, admitted })),
  );
  // A different address each time: an address that is not on the allowlist has to wait after a flood.
  let addresses = 1;

  it.each(cases)('closes a connection $who that floods it with $what', async ({ flood, admitted }) => {
    const { gateway, authority, leaf } = stage;
    const localAddress = `127.0.1.${addresses++}`;
    await using writer = await openRecordWriter({
      port: gateway.port,
      ca: authority.root.pem,
      leaf: admitted ? leaf : undefined,
      localAddress,
    });
    const handshake = await handshakeFrom(gateway, writer.socket);
    const closed = once(writer.socket, 'close');
    writer.socket.write(flood(writer));
    await closed;
    const record = await gateway.audit(
      ({ stage, conn_id }) => stage === 'live' && conn_id === handshake.conn_id,
    );
    expect(record).toMatchObject({
      verdict: 'deny',
      reason: 'record_flood',
      source_address: localAddress,
      anchor: admitted ? 'example' : null,
      detail: expect.stringMatching(
        /than limits\.smallRecords \(\d+\) allows .*: \d+ bytes received from the network contained \d+ bytes of data\. Likely: /,
      ),
    });
    expect(statusOf(await stage.send(post()))).toBe(200);
  });

  it.each(Object.entries(clients))(
    'closes a connection %s when OpenSSL reports too many empty records',
    async (_, admitted) => {
      const { gateway, authority, leaf } = stage;
      await using writer = await openRecordWriter({
        port: gateway.port,
        ca: authority.root.pem,
        leaf: admitted ? leaf : undefined,
        localAddress: `127.0.1.${addresses++}`,
      });
      const closed = once(writer.socket, 'close');
      // OpenSSL accepts 32 in a row.
      writer.socket.write(writer.data(Array(15_000).fill(Buffer.alloc(0))));
      await closed;
      expect(statusOf(await stage.send(post()))).toBe(200);
      await gateway.logged(({ openssl_code }) => openssl_code === 'ERR_SSL_RECORD_TOO_SMALL');
    },
  );

  // Counts and logs every flood of the tests above.
  afterAll(async () => {
    const name = 'ehi_connections_closed_total{reason="record_flood"}';
    await metricsWhen(stage.gateway, (found) => found.get(name) === cases.length);
    await stage.gateway.logged(({ reason }) => reason === 'record_flood');
  });

  it('accepts a client that sends its message byte by byte, and one that updates its key sometimes', async () => {
    const { gateway, authority, leaf } = stage;
    await using writer = await openRecordWriter({
      port: gateway.port,
      ca: authority.root.pem,
      leaf,
      localAddress: `127.0.1.${addresses++}`,
    });
    // Both messages are fewer records than a burst may have, however fast they are sent.
    const bytes = post({ body: 'x'.repeat(2500) });
    const pieces = Array.from(bytes, (byte) => Buffer.from([byte]));
    for (let message = 0; message < 2; message++) {
      const before = gateway.records().length;
      writer.socket.write(Buffer.concat([writer.keyUpdates(20), writer.data(pieces)]));
      expect(await gateway.next(({ type }) => type === 'message', before)).toMatchObject({ status: 200 });
    }
  });
});

it('counts records that arrive in one segment with the end of the handshake', async () => {
  await using stage = await openStage();
  const { gateway } = stage;
  await using client = await beginRawHandshake({ port: gateway.port });
  const { localPort } = client.socket;
  // Less than the gateway reads in one call.
  client.socket.write(client.finish({ keyUpdates: 2500 }));
  const { conn_id } = await gateway.audit(({ source_port }) => source_port === localPort);
  expect(
    await gateway.audit((record) => record.stage === 'live' && record.conn_id === conn_id),
  ).toMatchObject({ reason: 'record_flood' });
});
