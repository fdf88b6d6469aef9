/** A TLS error after the handshake: the connection closes at once, and the record says that the client is gone. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { statusOf } from '../support/http/http.ts';
import { openWire, type Wire } from '../support/http/wire.ts';
import { type Client, post } from '../support/process/client.ts';
import type { AuditRecord } from '../support/process/gateway.ts';
import { HeldAnswers } from '../support/process/held-answers.ts';
import { metricsWhen } from '../support/process/metrics.ts';
import { expectOneRecordEach, handshakeFrom } from '../support/process/records.ts';
import { openStage, type Stage } from '../support/process/stage.ts';

let stage: Stage;
let held: HeldAnswers;
/** Another one for each test: on a busy machine the handshakes of one address may cost so much that it has to wait. */
let localAddress: string;
let addresses = 0;
beforeEach(() => {
  localAddress = `127.0.1.${addresses++}`;
});

const versions = ['TLSv1.2', 'TLSv1.3'] as const;
const garbage = Buffer.concat([Buffer.from('1703030020', 'hex'), Buffer.alloc(32, 7)]);

/** Each ends the connection with a TLS error, at the gateway or, reported by a fatal alert, at the client. */
const ways: Readonly<Record<string, (wire: Wire) => void>> = {
  'a record that does not decrypt': (wire) => wire.toGateway(garbage),
  'a fatal alert in the clear': (wire) => wire.toGateway(Buffer.from('15030300020228', 'hex')),
  'bytes that are no record': (wire) => wire.toGateway(Buffer.from('GET / HTTP/1.1\r\n\r\n', 'latin1')),
  'a fatal alert that the client sends by itself': (wire) => wire.toClient(garbage),
};

interface Connected {
  readonly client: Client;
  readonly wire: Wire;
  readonly handshake: AuditRecord;
}

async function connected(version: (typeof versions)[number]): Promise<Connected> {
  const wire = await openWire(stage.gateway.port, { localAddress });
  const client = await stage.connect({ socket: wire, minVersion: version, maxVersion: version });
  return { client, wire, handshake: await handshakeFrom(stage.gateway, wire.transport) };
}

/** Resolves once the gateway has closed the TCP connection; the time limit of a test is far below `timeouts.keepAlive`. */
async function breakTls({ wire }: Connected, way: string): Promise<void> {
  ways[way]?.(wire);
  await wire.disconnected;
}

const messageOn = ({ handshake }: Connected) =>
  stage.gateway.audit(({ type, conn_id }) => type === 'message' && conn_id === handshake.conn_id);

const gone = { outcome: 'client_gone', status: null, reason: null };

// TLS reads from the TCP socket of a client on the allowlist, and through a gate for any other.
describe.each([
  ['that is on the allowlist', true],
  ['that is not on the allowlist', false],
])('a TLS error from a client %s', (_how, named) => {
  beforeAll(async () => {
    stage = await openStage({ named });
    held = new HeldAnswers(stage);
    // In whichever order the tests run, this is the error that the log names.
    localAddress = '127.0.2.1';
    await breakTls(await connected('TLSv1.2'), 'a record that does not decrypt');
  });
  afterAll(() => stage[Symbol.asyncDispose]());

  describe.each(versions)('on %s', (version) => {
    describe.each(Object.keys(ways))('%s', (way) => {
      it('closes an idle connection at once', async () => {
        const connection = await connected(version);
        expect(connection.handshake).toMatchObject({ verdict: 'allow', tls_version: version });
        await breakTls(connection, way);
      });

      it('ends a message that the host is processing, and records that the client is gone and not that the host failed', async () => {
        const connection = await connected(version);
        await held.ask(connection.client);
        await breakTls(connection, way);
        expect(await messageOn(connection)).toMatchObject(gone);
      });

      it('ends a message whose body is incomplete', async () => {
        const connection = await connected(version);
        connection.client.write(post({ body: 'x'.repeat(100) }).subarray(0, -90));
        await breakTls(connection, way);
        expect(await messageOn(connection)).toMatchObject({ ...gone, request_bytes: 10 });
      });

      it('closes a refused connection that has not sent a request yet', async () => {
        const wire = await openWire(stage.gateway.port, { localAddress });
        await stage.connect({ socket: wire, minVersion: version, maxVersion: version, leaf: undefined });
        const handshake = await handshakeFrom(stage.gateway, wire.transport);
        expect(handshake).toMatchObject({ reason: 'no_certificate' });
        ways[way]?.(wire);
        await wire.disconnected;
      });
    });
  });

  // The first of many TLS errors is logged with its cause, each is counted, and other clients are served meanwhile.
  afterAll(async () => {
    const line = await stage.gateway.logged(({ msg }) =>
      `${msg}`.startsWith('TLS failed after the handshake'),
    );
    expect(line).toMatchObject({
      reason: 'record_damaged',
      detail: expect.stringMatching(/cannot be decrypted\. /),
    });
    expect(stage.gateway.records().some(({ conn_id }) => conn_id === line.conn_id)).toBe(true);
    const counts = (all: ReadonlyMap<string, number>, ...reasons: string[]) =>
      reasons.reduce((sum, reason) => sum + (all.get(`ehi_tls_errors_total{reason="${reason}"}`) ?? 0), 0);
    await metricsWhen(
      stage.gateway,
      (all) =>
        counts(all, 'client_alert') === 8 &&
        // Which of the two OpenSSL finds depends on the TLS version.
        counts(all, 'record_damaged', 'unexpected_message') === 25,
    );
    const answer = stage.send(post());
    await stage.host.request(stage.host.requests.length);
    held.release();
    expect(statusOf(await answer)).toBe(200);
    await expectOneRecordEach(stage.gateway, 34);
  });
});
