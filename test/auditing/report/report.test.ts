import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { zstdCompressSync } from 'node:zlib';
import { afterAll, expect, it } from 'vitest';
import { toEcsLines } from '../../../src/audit/ecs-line.ts';
import { Sealer } from '../../../src/audit/seals/seal.ts';
import { parseGroupFields } from '../../../src/auditing/report/group-fields.ts';
import { ReportTally } from '../../../src/auditing/report/tally.ts';
import { TimeBuckets } from '../../../src/auditing/report/time-buckets.ts';
import { timeRange } from '../../../src/auditing/report/time-range.ts';
import { reportView } from '../../../src/auditing/report/view.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { runCommand } from '../../support/process/command.ts';

const folder = await temporaryFolder();
afterAll(() => folder[Symbol.asyncDispose]());

const leaf = (subject: string, serial: string) => ({
  ...{ subject, issuer: 'CN=Issuing CA', serial, not_before: null, not_after: null },
  ...{ spki_pin: 'AAAA', pin: 'sha256/AAAA', thumbprint: 'B' },
});
const time = (minute: number) => new Date(Date.UTC(2026, 10, 29, 5, minute)).toISOString();
const handshake = (minute: number, fields: object = {}) => ({
  ...{
    type: 'handshake',
    time: time(minute),
    conn_id: `c-${minute}`,
    source_address: '192.0.2.1',
    source_port: 4711,
  },
  ...{
    proxy_address: null,
    listener: '10.0.0.1:8443',
    tls_version: 'TLSv1.3',
    cipher: 'TLS_AES_128_GCM_SHA256',
  },
  ...{ resumed: false, sni: null, alpn: null, duration_ms: 10, leaf: leaf('CN=first', '1'), anchor: 'a' },
  ...{ verdict: 'allow', reason: null, openssl_code: null, detail: null, generation: 1, revocation: 'good' },
  shadow: null,
  ...fields,
});
const message = (minute: number, total: number, fields: object = {}) => ({
  ...{
    type: 'message',
    time: time(minute),
    conn_id: 'c-0',
    request_id: `c-0.${minute}`,
    trace_id: null,
    route: '/',
  },
  ...{
    method: 'POST',
    path: '/',
    status: 200,
    endpoint: 'http://host',
    upstream_reused: true,
    request_bytes: 10,
  },
  ...{ response_bytes: 10, upstream_ms: total - 1, total_ms: total, outcome: 'answered', reason: null },
  ...fields,
});

/** Two clients; one message is late, one was cut, one refused. */
const records = [
  handshake(0),
  handshake(1, { resumed: true }),
  handshake(2, {
    verdict: 'deny',
    reason: 'expired',
    leaf: leaf('=cmd(1)', '2'),
    source_address: '192.0.2.9',
  }),
  handshake(3, { verdict: 'failed', reason: 'closed_silent', leaf: null, tls_version: null }),
  message(4, 5),
  message(5, 250),
  message(6, 20, { outcome: 'cut', reason: 'answer_cut', status: 200 }),
  message(7, 1, {
    outcome: 'denied',
    reason: 'no_route',
    route: null,
    status: 404,
    total_ms: null,
    upstream_ms: null,
  }),
  { type: 'config', time: time(8), event: 'reloaded', generation: 2, changed: [], fixed: [], problems: 0 },
];
const text = (lines: readonly object[]) => lines.map((line) => `${JSON.stringify(line)}\n`).join('');
const sealer = new Sealer({ chain: '0011223344556677', last: null, privateKey: null });
const seal = sealer.seal('sealed', { now: Date.UTC(2026, 10, 29, 5, 9), lost: 3 });

const older = join(folder.path, 'audit.log.1');
writeFileSync(older, zstdCompressSync(text(records.slice(0, 5))));
const newer = join(folder.path, 'audit.log');
writeFileSync(newer, `${text(records.slice(5))}${seal}not a record\n`);

const report = (...args: string[]) =>
  runCommand(['audit', 'report', newer, older, ...args], { cwd: folder.path });
const json = async (...args: string[]) => JSON.parse((await report('--json', ...args)).stdout);

it('counts handshakes, clients, sources, messages and events over files in any order', async () => {
  const { code, stdout } = await report('--json');
  expect(code).toBe(0);
  const counted = JSON.parse(stdout);
  expect(counted).toMatchObject({
    ...{ version: 1, files: [older, newer], lines: 11, seals: 1, unreadable_lines: 1, records_lost: 3 },
    period: { first: time(0), last: time(9) },
    handshakes: { count: 4, resumed: 1, tls_versions: { 'TLSv1.3': 3, unknown: 1 } },
    messages: { count: 4, late: 2, budget_ms: 200, statuses: { 200: 3, 404: 1 } },
    events: { 'config reloaded': 1 },
  });
  expect(counted.handshakes.reasons).toEqual([
    { verdict: 'allow', reason: null, count: 2 },
    { verdict: 'deny', reason: 'expired', count: 1 },
    { verdict: 'failed', reason: 'closed_silent', count: 1 },
  ]);
  expect(counted.clients).toEqual([
    {
      ...{ subject: 'CN=first', issuer: 'CN=Issuing CA', serial: '1', pin: 'sha256/AAAA' },
      ...{ first: time(0), last: time(1), allow: 2, deny: 0, failed: 0 },
    },
    {
      ...{ subject: '=cmd(1)', issuer: 'CN=Issuing CA', serial: '2', pin: 'sha256/AAAA' },
      ...{ first: time(2), last: time(2), allow: 0, deny: 1, failed: 0 },
    },
  ]);
  expect(counted.sources.map(({ address }: { address: string }) => address)).toEqual([
    '192.0.2.1',
    '192.0.2.9',
  ]);
  expect(counted.messages.total_ms).toMatchObject({ count: 3, max: 250 });
  expect(counted.notes.join()).toContain('1 lines are no audit records, the first in');
});

it('counts only records from --since up to, and without, --until', async () => {
  const counted = await json('--since', time(2), '--until', time(5));
  expect(counted).toMatchObject({
    since: time(2),
    until: time(5),
    period: { first: time(2), last: time(4) },
  });
  expect([counted.handshakes.count, counted.messages.count, counted.messages.late]).toEqual([2, 1, 0]);
  const none = await report('--until', '2020-01-01');
  expect(none.code).toBe(1);
  expect(none.stdout).toContain('no record');
});

it('counts by fields in the given order, and knows the client of a message from its handshake', async () => {
  const { groups } = await json('--by', 'subject,verdict', '--since', time(4));
  expect(groups).toEqual([
    expect.objectContaining({
      subject: 'CN=first',
      verdict: 'answered',
      messages: 2,
      late: 1,
      handshakes: 0,
    }),
    expect.objectContaining({ subject: 'CN=first', verdict: 'cut', messages: 1, late: 1 }),
    expect.objectContaining({ subject: 'CN=first', verdict: 'denied', messages: 1, late: 0 }),
  ]);
});

it('does not count a line without its newline, which no seal covers', async () => {
  const open = join(folder.path, 'open.log');
  writeFileSync(open, `${text([handshake(0)])}${JSON.stringify(handshake(1))}`);
  const { stdout } = await runCommand(['audit', 'report', open, '--json'], { cwd: folder.path });
  expect(JSON.parse(stdout)).toMatchObject({ handshakes: { count: 1 }, unreadable_lines: 1 });
});

it('takes another budget', async () => {
  expect((await json('--budget', '4ms')).messages).toMatchObject({ late: 3, budget_ms: 4 });
  expect((await report('--budget', '0')).stderr).toBe(
    '--budget: found 0; allowed milliseconds, such as 200ms\n',
  );
});

it('writes CSV whose cells start no formula', async () => {
  const { stdout } = await report('--csv', '--by', 'subject');
  const [head, ...rows] = stdout.split('\r\n');
  expect(head).toBe('subject,handshakes,messages,late,total_ms_p50,total_ms_p99,first,last');
  expect(rows.find((row) => row.includes('cmd'))).toMatch(/^'=cmd\(1\),1,0,0,/);
});

it('writes a page without scripts, on which foreign text is text', async () => {
  const marked = join(folder.path, 'marked.log');
  writeFileSync(marked, text([handshake(0, { leaf: leaf('<script>alert(1)</script>', '1') })]));
  const page = join(folder.path, 'report.html');
  const { code } = await runCommand(['audit', 'report', marked, newer, '--html', page], { cwd: folder.path });
  expect(code).toBe(0);
  const html = readFileSync(page, 'utf8');
  expect(html).not.toContain('<script');
  expect(html).toContain('&lt;script&gt;');
  expect(html.match(/<svg/g)?.length).toBeGreaterThanOrEqual(3);
  const again = await runCommand(['audit', 'report', marked, '--html', page], { cwd: folder.path });
  expect([again.code, readFileSync(page, 'utf8')]).toEqual([64, html]);
});

it('reads records in the format of ECS as those of json', async () => {
  const ecs = join(folder.path, 'ecs.log');
  writeFileSync(ecs, toEcsLines(text(records)));
  const plain = join(folder.path, 'json.log');
  writeFileSync(plain, text(records));
  const counted = async (file: string) => {
    const { stdout } = await runCommand(['audit', 'report', file, '--json'], { cwd: folder.path });
    return { ...JSON.parse(stdout), files: [] };
  };
  expect(await counted(ecs)).toEqual(await counted(plain));
});

it.each([
  ['--by', 'verdict,colour', /--by: found verdict,colour; allowed each of verdict, reason, issuer/],
  ['--by', 'verdict,verdict', /allowed each of/],
  ['--since', 'yesterday', /--since: found yesterday; allowed a date/],
  ['--since', '2026-11-29T05:00:00', /--since: found 2026-11-29T05:00:00; allowed/],
])('refuses %s %s', async (option, value, message) => {
  const { code, stderr } = await report(option, value);
  expect(code).toBe(64);
  expect(stderr).toMatch(message);
});

it('keeps a limited number of clients, addresses and groups, and states how many it leaves out', () => {
  const tally = new ReportTally({
    ...{ range: timeRange({}, 0), by: parseGroupFields('source'), budgetMs: 200 },
  });
  for (let index = 0; index < 12_000; index++)
    tally.add(
      handshake(0, {
        source_address: `2001:db8::${index.toString(16)}`,
        leaf: leaf(`CN=${index}`, `${index}`),
      }),
    );
  const facts = { files: [], lines: 12_000, seals: 0, unreadable: 0, firstUnreadable: null };
  const view = reportView(tally, facts);
  expect([view.clients.length, view.sources.length, view.groups.length]).toEqual([10_000, 10_000, 10_000]);
  expect(tally.handshakes.total).toBe(12_000);
  expect(view.remarks).toEqual([
    '2000 handshakes of further clients are in the totals and not listed',
    '2000 handshakes from further addresses are in the totals and not listed',
    '2000 records of further groups are in the totals and not listed',
  ]);
});

it('keeps the sum of the counts when the steps of time become longer', () => {
  const buckets = new TimeBuckets();
  for (let minute = 0; minute < 10_000; minute++) buckets.at(minute * 60_000).messages++;
  expect(buckets.step).toBe(240);
  const steps = buckets.within(50);
  expect(steps.length).toBeLessThanOrEqual(50);
  expect(steps.reduce((sum, { bucket }) => sum + bucket.messages, 0)).toBe(10_000);
  expect(steps[0]?.begin).toBe(0);
});
