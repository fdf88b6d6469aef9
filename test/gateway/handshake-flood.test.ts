/** Hundreds of handshakes that fail: each is in the audit, and a legitimate client is served meanwhile. */
import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { expect, it } from 'vitest';
import { statusOf } from '../support/http/http.ts';
import { expectRefusalPage } from '../support/http/refusal-page.ts';
import { authority } from '../support/pki/authority.ts';
import { post } from '../support/process/client.ts';
import { clientHello } from '../support/process/client-hello.ts';
import { expectOneRecordEach } from '../support/process/records.ts';
import { openStage, type Stage } from '../support/process/stage.ts';

const each = 150;
const localAddress = '127.0.0.2';
const stranger = authority({ name: 'Stranger' });

/** Opens a connection of the flood that sends `bytes` at once. */
function begin({ gateway }: Stage, bytes: Buffer): Socket {
  const socket = connectTcp({ port: gateway.port, host: '127.0.0.1', localAddress });
  socket.on('error', () => {}).write(bytes);
  return socket.resume();
}

/** Sends nothing more; resolves when the gateway closes the connection. */
async function stop(socket: Socket): Promise<void> {
  await new Promise((closed) => socket.once('close', closed));
}

interface Attack {
  readonly verdict: string;
  readonly reason: string;
  /** Runs one connection of the flood from open to close. */
  attack(stage: Stage, hello: Buffer): Promise<void>;
}

async function expectPage(
  stage: Stage,
  leaf: { chainPem: string; keyPem: string } | undefined,
  status: 400 | 403,
) {
  await using client = await stage.connect({ leaf, localAddress });
  expectRefusalPage(await client.exchange(post({ target: '/flood' })), status);
  expect(await client.rest()).toHaveLength(0);
}

const attacks: Readonly<Record<string, Attack>> = {
  'without a certificate': {
    verdict: 'deny',
    reason: 'no_certificate',
    attack: (stage) => expectPage(stage, undefined, 400),
  },
  'with a certificate of another CA': {
    verdict: 'deny',
    reason: 'untrusted',
    attack: (stage) => expectPage(stage, stranger.issueClient(), 403),
  },
  'with a certificate of another customer': {
    verdict: 'deny',
    reason: 'match_mismatch',
    attack: (stage) => expectPage(stage, stage.authority.issueClient({ subject: { OU: 'Another' } }), 403),
  },
  'that reset in the middle of the handshake': {
    verdict: 'failed',
    reason: 'closed_after_certificate',
    attack: async (stage, hello) => {
      const socket = begin(stage, hello);
      // The server's flight: the gateway has done the costly half of the handshake.
      await once(socket, 'data');
      socket.resetAndDestroy();
    },
  },
  'that stop in the middle of the ClientHello': {
    verdict: 'failed',
    reason: 'timeout_client_hello',
    attack: async (stage, hello) => stop(begin(stage, hello.subarray(0, 100))),
  },
  'that never answer the server’s flight': {
    verdict: 'failed',
    reason: 'handshake_timeout',
    attack: async (stage, hello) => stop(begin(stage, hello)),
  },
};

interface Served {
  readonly kept: number;
  readonly fresh: number;
}

/** Sends messages of a legitimate client on one kept connection and on new connections until the flood is over. */
async function serve(stage: Stage, flood: Promise<unknown>): Promise<Served> {
  let over = false;
  const ended = flood.finally(() => {
    over = true;
  });
  const served = { kept: 0, fresh: 0 };
  await using client = await stage.connect();
  const keep = async () => {
    for (; !over; served.kept++) {
      expect(statusOf(await client.exchange(post({ target: '/kept' })))).toBe(200);
    }
  };
  const renew = async () => {
    for (; !over; served.fresh++) expect(statusOf(await stage.send(post({ target: '/fresh' })))).toBe(200);
  };
  await Promise.all([ended, keep(), renew()]);
  return served;
}

/**
 * Stops the gateway. Expects one record for each connection, and that the host received each message of the legitimate
 * client once and none of the flood. Returns the number of records of the flood by verdict and reason.
 */
async function auditOf(
  stage: Stage,
  { kept, fresh }: Served,
  flood: number,
): Promise<Record<string, number>> {
  await expectOneRecordEach(stage.gateway, flood + 1 + fresh);
  const records = stage.gateway.records();
  const counts: Record<string, number> = {};
  for (const { verdict, reason, source_address } of records.filter(({ type }) => type === 'handshake')) {
    const who = source_address === localAddress ? `${verdict} ${reason}` : `honest: ${verdict}`;
    counts[who] = (counts[who] ?? 0) + 1;
  }
  const { 'honest: allow': honest, ...others } = counts;
  expect(honest).toBe(1 + fresh);
  expect(stage.host.requests).toHaveLength(kept + fresh);
  expect(stage.host.requests.filter(({ startLine }) => startLine.includes('/flood'))).toEqual([]);
  expect(records.filter(({ outcome }) => outcome === 'answered')).toHaveLength(kept + fresh);
  return others;
}

it('serves a legitimate client during a flood of every kind at once', async () => {
  await using stage = await openStage({
    // Other tests cover the number of concurrent connections and the latency.
    config: {
      timeouts: { handshake: '8s' },
      limits: { unfinishedHandshakes: 10_000, handshakeRate: 100_000, delay: '10s' },
    },
  });
  const hello = await clientHello();
  const flood = Object.values(attacks).flatMap(({ attack, reason }) => {
    let left = each;
    const line = async () => {
      while (left-- > 0) await attack(stage, hello);
    };
    // Connections that stop wait for the gateway's timeout, all at the same time.
    return Array.from({ length: reason.includes('timeout') ? each : 10 }, line);
  });
  const served = await serve(stage, Promise.all(flood));
  expect(Math.min(served.kept, served.fresh)).toBeGreaterThan(10);
  const expected: Record<string, number> = {};
  for (const { verdict, reason } of Object.values(attacks)) {
    const name = `${verdict} ${reason}`;
    expected[name] = (expected[name] ?? 0) + each;
  }
  expect(await auditOf(stage, served, each * Object.keys(attacks).length)).toEqual(expected);
});

it('refuses connections over limits.unfinishedHandshakes, except from addresses on the allowlist', async () => {
  const unfinishedHandshakes = 50;
  await using stage = await openStage({
    config: {
      clients: { allowlist: ['127.0.0.1'], refuseAt: 'http', anyCertificateOfAnchor: true },
      limits: {
        unfinishedHandshakes,
        unfinishedHandshakesPerAddress: unfinishedHandshakes,
        handshakeRate: 100_000,
        delay: '10s',
      },
      timeouts: { handshake: '8s' },
    },
  });
  const hello = await clientHello();
  const flood = Array.from({ length: 4 * each }, () => stop(begin(stage, hello)));
  const served = await serve(stage, Promise.all(flood));
  expect(Math.min(served.kept, served.fresh)).toBeGreaterThan(10);
  const {
    'deny too_many_handshakes': refused,
    'failed handshake_timeout': waited,
    ...others
  } = await auditOf(stage, served, flood.length);
  expect(others).toEqual({});
  // Connections that timed out have made room for others if opening all of them took longer than the timeout.
  expect(waited).toBeGreaterThanOrEqual(unfinishedHandshakes - 2);
  expect(refused).toBeGreaterThan(0);
});
