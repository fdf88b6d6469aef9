/** Entry of a process: unknown clients, or one authorized client, that cause useless work; each reconnects when closed. */
import { connect as connectTcp } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { costlyChain } from '../../test/support/pki/costly-chain.ts';
import { openRecordWriter, type RecordWriter } from '../../test/support/process/record-writer.ts';

export type Flood = 'stranger-chain' | 'address-share' | 'key-updates' | 'tiny-records';

export interface FloodOrder {
  readonly flood: Flood;
  readonly port: number;
  /** PEM of the gateway's root, and of the authorized attacker's certificate and key. */
  readonly ca: string;
  readonly leaf: { readonly chainPem: string; readonly keyPem: string };
}

/** The unit of what was sent: handshakes, connections or records. */
export interface FloodCount {
  readonly sent: number;
  readonly connections: number;
}

const localAddress = '127.0.0.2';
const count = { sent: 0, connections: 0 };

const floods: Readonly<Record<Flood, (order: FloodOrder) => Promise<void>>> = {
  // Four handshakes a second, each with 70 CAs: twice the rate of the reported attack.
  async 'stranger-chain'({ port }) {
    const { chainPem: cert, keyPem: key } = costlyChain({ length: 70 });
    for (let turn = 0; ; turn++) {
      const maxVersion = turn % 2 === 0 ? 'TLSv1.3' : 'TLSv1.2';
      const options = {
        port,
        host: '127.0.0.1',
        localAddress,
        rejectUnauthorized: false,
        maxVersion,
      } as const;
      const socket = connectTls({ ...options, cert, key }).on('error', () => {});
      count.connections++;
      count.sent++;
      setTimeout(() => socket.destroy(), 5_000);
      await sleep(250);
    }
  },

  // Silent connections, and connections with a handshake without a certificate: twice as many as in the reported attack.
  async 'address-share'({ port }) {
    const address = { port, host: '127.0.0.1', localAddress };
    const hold = async (most: number, open: () => ReturnType<typeof connectTcp>) => {
      for (let held = 0; ; await sleep(2)) {
        if (held >= most) continue;
        held++;
        count.connections++;
        open()
          .on('error', () => {})
          .once('close', () => held--)
          .resume();
      }
    };
    await Promise.all([
      hold(1_040, () => connectTcp(address)),
      hold(4_000, () => connectTls({ ...address, rejectUnauthorized: false })),
    ]);
  },

  'key-updates': (order) => write(order, { admitted: false, piece: (writer) => writer.keyUpdates(500) }),

  'tiny-records': (order) =>
    write(order, {
      admitted: true,
      begin: 'POST / HTTP/1.1\r\nHost: ehi.example\r\nContent-Length: 1000000\r\n\r\n',
      piece: (writer) => writer.data(Array(500).fill(Buffer.from('x'))),
    }),
};

interface Writing {
  readonly admitted: boolean;
  readonly begin?: string;
  /** 500 records. */
  readonly piece: (writer: RecordWriter) => Buffer;
}

/** As much as two connections accept. */
async function write({ port, ca, leaf }: FloodOrder, { admitted, begin, piece }: Writing): Promise<void> {
  const one = async () => {
    for (;;) {
      count.connections++;
      const options = { port, ca, localAddress, leaf: admitted ? leaf : undefined };
      const writer = await openRecordWriter(options).catch(() => null);
      if (writer === null) {
        await sleep(5);
        continue;
      }
      if (begin !== undefined) writer.socket.write(writer.data([Buffer.from(begin)]));
      while (!writer.socket.destroyed) {
        count.sent += 500;
        await new Promise((written) => writer.socket.write(piece(writer), written));
      }
    }
  };
  await Promise.all([one(), one()]);
}

process.on('message', (order: FloodOrder | 'count') => {
  if (order === 'count') process.send?.(count);
  else void floods[order.flood](order);
});
process.on('disconnect', () => process.exit());
