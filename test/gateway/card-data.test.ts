/** Card numbers and CVV in every place where a client or a host can write: none of them appears in an output. */
import { once } from 'node:events';
import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { connect as connectTcp } from 'node:net';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { answerTo, card, percent, requests, twice, withBody } from '../support/card-plantings.ts';
import { cardNumber, cvv, findCardData, findCardDataIn } from '../support/card-search.ts';
import { eventually } from '../support/eventually.ts';
import { authority } from '../support/pki/authority.ts';
import type { ClientOptions } from '../support/process/client.ts';
import { openCollector } from '../support/process/collector.ts';
import type { AuditRecord } from '../support/process/gateway.ts';
import { openStage, type Stage, type StageOptions } from '../support/process/stage.ts';
import { openDirectory } from '../support/trust/directory.ts';

/** Writes, half-closes, and reads until the connection ends; the handshake may fail. */
async function sendAndRead(
  stage: Stage,
  bytes: string,
  options: Partial<ClientOptions> = {},
): Promise<string> {
  try {
    await using client = await stage.connect(options);
    return (await client.write(Buffer.from(bytes, 'latin1')).halfClose().rest()).toString('latin1');
  } catch (error) {
    return `${error}`;
  }
}

/** Sends bytes that are not TLS to the TLS port or the admin port. */
async function sendPlain(port: number, bytes: string): Promise<string> {
  const socket = connectTcp({ port, host: '127.0.0.1', allowHalfOpen: true });
  let answer = '';
  socket.on('data', (chunk: Buffer) => {
    answer += chunk;
  });
  socket.on('error', () => {});
  socket.end(bytes);
  await once(socket, 'close').catch(() => {});
  return answer;
}

it('finds planted card data in each of its forms, and nothing else', async () => {
  const number = cardNumber(7);
  const forms = [
    number,
    `12${number}34`,
    percent(number),
    twice(number),
    `${number.slice(0, 5)}${percent(number).slice(15)}`,
    [...number].map((digit) => `\\u003${digit}`).join(''),
    number.replace(/(.{4})(?!$)/g, '$1 '),
    Buffer.from(number).toString('hex'),
    ...['', 'a', 'bc'].map((before) => Buffer.from(`${before}${number}${before}`).toString('base64')),
  ];
  for (const form of forms) expect(findCardData(`{"path":"/${form}/x"}\n`)).toEqual([number.slice(0, 10)]);
  expect(findCardData(`"a":"${cvv}"`)).toEqual([cvv]);
  expect(findCardData('{"path":"/[digits]/492912000","pin":"929120007987654"}')).toEqual([]);
});

/** A gateway that logs everything it can, fetches its anchors from a directory, and exports spans. */
async function openVerboseStage() {
  await using opened = new AsyncDisposableStack();
  const collector = opened.use(await openCollector());
  const directory = opened.use(await openDirectory());
  const pki = authority();
  directory.files.set('/root.pem', pki.root.pem).set('/issuing.pem', pki.issuing.pem);
  const options: StageOptions = {
    authority: pki,
    routes: ['/ehi', '/answer', '/status', '/field', '/chunk', '/cut', '/silence'].map((path) => ({
      path,
      deadline: '1s',
    })),
    host: {
      answer: ({ startLine }, socket) => {
        const bytes = answerTo(startLine);
        if (startLine.includes('/cut/')) socket.end(bytes);
        else socket.write(bytes);
        return null;
      },
    },
    files: { 'directory.pem': directory.pki.root.pem },
    env: { EHI_LOG_LEVEL: 'trace' },
    config: {
      trust: {
        anchors: [
          {
            name: 'example',
            urls: [`${directory.origin}/root.pem`, `${directory.origin}/issuing.pem`],
            tls: { ca: 'directory.pem' },
          },
        ],
        cacheDir: 'trust',
      },
      audit: { destination: 'audit.jsonl' },
      timeouts: { head: '2s', bodyIdle: '2s' },
      tracing: { endpoint: collector.url, interval: '50ms' },
    },
  };
  const stage = opened.use(await openStage(options));
  const stack = opened.move();
  return { stage, collector, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/** Card data in requests, SNI, ALPN and bytes that are not TLS, from every kind of client. Returns what the gateway answered. */
async function plantOnTheListener(stage: Stage): Promise<string[]> {
  const own: string[] = [];
  const stranger = authority({ name: 'Stranger' }).issueClient();
  for (const leaf of [stage.leaf, undefined, stranger]) {
    own.push(...(await Promise.all(requests.map((bytes) => sendAndRead(stage, bytes, { leaf })))));
  }
  for (const servername of [`${card()}.example`, `a.${card()}`, percent(card())]) {
    own.push(await sendAndRead(stage, withBody(), { servername, checkServerIdentity: () => undefined }));
    own.push(
      await sendAndRead(stage, withBody(), {
        servername,
        leaf: undefined,
        checkServerIdentity: () => undefined,
      }),
    );
  }
  await sendAndRead(stage, withBody(), { ALPNProtocols: [card()] });
  await sendPlain(stage.gateway.port, withBody(`/${card()}`));
  await sendPlain(stage.gateway.port, `\x16\x03\x01\x02\x00\x01${card()}${cvv}`);
  return own;
}

/** Number of connections that `plantOnTheListener` opens. */
const planted = 3 * requests.length + 6 + 3;

/** Card data in requests to the admin port. Returns what it answered. */
async function plantOnTheAdminPort(port: number): Promise<string[]> {
  const own: string[] = [];
  for (const target of [
    '/metrics',
    '/healthz',
    '/readyz',
    '/',
    '/api/status',
    `/api/${card()}`,
    `/assets/${card()}`,
    `/${card()}`,
    `/metrics?${card()}`,
    `/${percent(card())}`,
  ]) {
    own.push(
      await sendPlain(
        port,
        `GET ${target} HTTP/1.1\r\nHost: ${card()}\r\nX: ${card()}\r\nConnection: close\r\n\r\n`,
      ),
    );
  }
  own.push(await sendPlain(port, `${card()} /${card()} HTTP/1.1\r\n\r\n`));
  return own;
}

/** Proves that the test can fail: everything was recorded, and masked where a path or a server name is written. */
function expectRecorded(all: readonly AuditRecord[]): void {
  expect(all.filter(({ path }) => path?.includes('[digits]')).length).toBeGreaterThan(40);
  expect(all.filter(({ sni }) => sni?.includes('[digits]')).length).toBeGreaterThanOrEqual(6);
  expect(new Set(all.map(({ outcome }) => outcome).filter(Boolean))).toEqual(
    new Set(['answered', 'denied', 'failed', 'cut', 'client_gone']),
  );
}

/** Removes the times of spans: their digits may look like a card number by chance. */
const withoutTimes = (body: string) => body.replaceAll(/"\d{19}"/g, '""');

it('writes and exports no card number and no CVV from any part of a request, whatever the client and the end of the exchange', async () => {
  await using opened = await openVerboseStage();
  const { stage, collector } = opened;
  const { gateway } = stage;
  const audit = join(gateway.folder, 'audit.jsonl');
  const own = [
    ...(await plantOnTheListener(stage)),
    ...(await plantOnTheAdminPort(gateway.ready.admin.port)),
  ];

  const lines = async () => (await readFile(audit, 'utf8')).split('\n').filter((line) => line !== '');
  const records = async () => (await lines()).map((line) => JSON.parse(line) as AuditRecord);
  const handshakes = async () => (await records()).filter(({ type }) => type === 'handshake').length;
  expect(await eventually(handshakes, (count) => count >= planted)).toBe(planted);
  own.push(await gateway.metrics());
  const status = await eventually(
    async () => (await gateway.admin('/api/status')).body,
    (body) => JSON.parse(body).now.messagesPerSecond > 0,
  );
  own.push(status);
  expect(await gateway.stop()).toEqual({ code: 0 });

  expectRecorded(await records());
  expect(stage.host.requests.length).toBeGreaterThan(15);
  expect(await readFile(join(gateway.folder, 'gateway.yaml'), 'utf8')).toContain('audit.jsonl');

  expect(await findCardDataIn(gateway.folder)).toEqual([]);
  expect(findCardData(gateway.stdout)).toEqual([]);
  expect(findCardData(gateway.stderr)).toEqual([]);
  // The host's responses are relayed unchanged; responses of the gateway and of the admin port contain no card data.
  const byItself = own.filter((text) => !text.includes('X-Card') && !/^HTTP\/1.1 200 \d/.test(text));
  expect(findCardData(byItself.join('\n'))).toEqual([]);

  expect(collector.spans.length).toBeGreaterThan(100);
  const exported = collector.exports.map(({ body }) => withoutTimes(body));
  expect(findCardData(exported.join('\n'))).toEqual([]);

  // Card data that is in these places is found by the search.
  await appendFile(audit, `{"path":"/${percent(cardNumber(9999))}"}\n`);
  await writeFile(join(gateway.folder, 'trust', 'note'), cvv);
  expect(await findCardDataIn(gateway.folder)).toHaveLength(2);
});
