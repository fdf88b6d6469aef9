/** The seals of the audit in the real process: rotations, kills under load, a full disk, a reader that does not read. */
import { execFileSync } from 'node:child_process';
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { constants, openSync, readdirSync, readFileSync, renameSync, truncateSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { followSeals } from '../support/audit-chain.ts';
import { eventually } from '../support/eventually.ts';
import { temporaryFolder } from '../support/folder.ts';
import { statusOf } from '../support/http/http.ts';
import { authority } from '../support/pki/authority.ts';
import { post } from '../support/process/client.ts';
import { runCommand } from '../support/process/command.ts';
import type { AuditRecord } from '../support/process/gateway.ts';
import { metricsWhen, readMetrics } from '../support/process/metrics.ts';
import { openStage, type Stage } from '../support/process/stage.ts';

const { privateKey } = generateKeyPairSync('ed25519');
const publicKey = createPublicKey(privateKey);
const files = { 'audit.key': privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
const seal = { key: 'audit.key', interval: '20ms' };
const says = (text: string) => (line: AuditRecord) => line.msg.includes(text);

/** The oldest first. */
function filesIn(folder: string): string[] {
  const names = readdirSync(folder).filter((name) => name.startsWith('audit.log'));
  return names.sort((a, b) => b.localeCompare(a, 'en', { numeric: true })).map((name) => join(folder, name));
}

const pathsOf = (records: readonly string[]) =>
  records.flatMap((line) => (line.startsWith('{"type":"message"') ? [JSON.parse(line).path] : []));

/** What `audit verify` finds, and its exit code. */
async function verifyFiles(paths: readonly string[]): Promise<{ code: number | null; kinds: string[] }> {
  await using folder = await temporaryFolder();
  const key = join(folder.path, 'audit.pub');
  await writeFile(key, publicKey.export({ type: 'spki', format: 'pem' }));
  const args = ['audit', 'verify', ...paths, '--public-key', key, '--json'];
  const { code, stdout } = await runCommand(args, { cwd: folder.path });
  return { code, kinds: JSON.parse(stdout).findings.map(({ kind }: { kind: string }) => kind) };
}

/** Sends messages on several connections until they break. Resolves with the number of responses. */
async function sendUntilBroken(stage: Stage, onResponse: (count: number) => void): Promise<void> {
  let count = 0;
  const sender = async () => {
    await using client = await stage.connect();
    for (;;) {
      const answer = await client.exchange(post());
      if (statusOf(answer) === 200) onResponse(++count);
    }
  };
  await Promise.allSettled([sender(), sender(), sender(), sender()]);
}

// More by hand: EHI_TEST_AUDIT_KILLS=50.
const kills = Number(process.env.EHI_TEST_AUDIT_KILLS ?? 8);

it(`keeps one sound chain over rotations, at least ${kills} kills under load and restarts`, async () => {
  await using folder = await temporaryFolder();
  const destination = join(folder.path, 'audit.log');
  // Longer than between two batches of lines: every kill finds lines without a seal.
  // Outlives each gateway, as `trust.cacheDir` does: no kill may look like a removal of seals.
  const copy = join(folder.path, 'state', 'last-seal');
  const sealed = { ...seal, interval: '200ms', copy };
  const audit = { destination, seal: sealed, rotate: { size: '64KiB', keep: 1000 } };
  const pki = authority();
  let round = 0;
  // A kill shows something only if it hits between two seals.
  for (let unsealed = 0; round < kills || unsealed === 0; round++) {
    await using stage = await openStage({ authority: pki, files, config: { audit } });
    const target = 20 + ((round * 83) % 200);
    await sendUntilBroken(stage, (count) => {
      if (count === target) stage.gateway.signal('SIGKILL');
    });
    // The senders may have ended before.
    await stage.gateway.stop('SIGKILL');
    unsealed += followSeals(filesIn(folder.path)).tail > 0 ? 1 : 0;
  }
  await using stage = await openStage({ authority: pki, files, config: { audit } });
  await using client = await stage.connect();
  while (filesIn(folder.path).length <= 2) expect(statusOf(await client.exchange(post()))).toBe(200);
  expect(statusOf(await client.exchange(post({ target: '/last' })))).toBe(200);
  expect((await readMetrics(stage.gateway)).get('ehi_audit_seals_missing')).toBe(0);
  expect(await stage.gateway.stop()).toEqual({ code: 0 });
  expect(readFileSync(copy, 'utf8')).toContain('"event":"stopped"');

  const report = followSeals(filesIn(folder.path), publicKey);
  expect(report.problems).toEqual([]);
  expect(report.chains).toHaveLength(1);
  expect(report.tail).toBe(0);
  expect(report.events.filter((event) => event === 'resumed')).toHaveLength(round);
  expect(report.events.at(-1)).toBe('stopped');
  expect(pathsOf(report.records).at(-1)).toBe('/last');
  const { code, kinds } = await verifyFiles(filesIn(folder.path));
  expect(code).toBe(2);
  // Each kill is one gap, with lines that had no seal or without.
  expect(kinds.filter((kind) => kind === 'sealed_late' || kind === 'stop_missing')).toHaveLength(round);
  expect(kinds).toHaveLength(round);
  expect(kinds).toContain('sealed_late');
});

it('seals, counts and rotates, as metrics and log show, and goes on with the chain after an orderly end', async () => {
  await using folder = await temporaryFolder();
  const destination = join(folder.path, 'audit.log');
  const audit = { destination, seal, rotate: { size: '64KiB', keep: 5 } };
  const pki = authority();
  await using first = await openStage({ authority: pki, files, config: { audit } });
  await using client = await first.connect();
  for (let n = 0; n < 250; n++) expect(statusOf(await client.exchange(post()))).toBe(200);
  const samples = await metricsWhen(first.gateway, (all) => (all.get('ehi_audit_rotations_total') ?? 0) > 0);
  expect(samples.get('ehi_audit_seals_total')).toBeGreaterThan(1);
  const sealedAt = samples.get('ehi_audit_last_seal_timestamp_seconds') ?? 0;
  expect(Math.abs(Date.now() / 1000 - sealedAt)).toBeLessThan(600);
  for (const name of ['records_lost', 'seal_failures', 'rotation_failures', 'truncations'])
    expect(samples.get(`ehi_audit_${name}_total`)).toBe(0);
  await first.gateway.logged(says('a new chain of seals begins'));
  await first.gateway.logged(says('the audit file has reached audit.rotate.size'));
  expect(await first.gateway.stop()).toEqual({ code: 0 });
  const copies = join(first.gateway.folder, 'trust', 'audit');
  expect(readdirSync(copies)).toEqual([expect.stringMatching(/^last-seal-[\da-f]{16}\.json$/)]);

  await using second = await openStage({ authority: pki, files, config: { audit } });
  await second.gateway.logged(says('the chain of seals in the audit goes on'));
  expect(await second.gateway.stop()).toEqual({ code: 0 });
  const report = followSeals(filesIn(folder.path), publicKey);
  expect(report).toMatchObject({ problems: [], tail: 0, chains: [expect.any(String)] });
  expect(report.events.filter((event) => event !== 'sealed')).toEqual([
    'started',
    'stopped',
    'resumed',
    'stopped',
  ]);
  expect(pathsOf(report.records)).toHaveLength(250);
  expect(await verifyFiles(filesIn(folder.path))).toEqual({ code: 0, kinds: [] });
});

it('shows in log, metric, status and seals that the file was cut back while the gateway was stopped', async () => {
  await using folder = await temporaryFolder();
  const destination = join(folder.path, 'audit.log');
  const copy = join(folder.path, 'state', 'last-seal');
  const pki = authority();
  const start = () =>
    openStage({ authority: pki, files, config: { audit: { destination, seal: { ...seal, copy } } } });
  for (let round = 0; round < 2; round++) {
    await using stage = await start();
    expect(statusOf(await stage.send(post()))).toBe(200);
    expect(await stage.gateway.stop()).toEqual({ code: 0 });
  }
  const text = readFileSync(destination, 'utf8');
  // An orderly end, as if the second run had never been.
  truncateSync(destination, text.indexOf('\n', text.indexOf('"event":"stopped"')) + 1);
  expect((await verifyFiles([destination])).code).toBe(0);

  await using stage = await start();
  const { seq } = JSON.parse(text.split('\n').at(-2) as string);
  const line = await stage.gateway.logged(says('the audit files do not have the last seal'));
  expect(line).toMatchObject({ level: 50, seq });
  expect((await readMetrics(stage.gateway)).get('ehi_audit_seals_missing')).toBe(1);
  const { changes } = JSON.parse((await stage.gateway.admin('/api/status')).body);
  expect(changes).toContainEqual(expect.objectContaining({ kind: 'audit', event: 'seals_missing' }));
  expect(await stage.gateway.stop()).toEqual({ code: 0 });
  expect(await verifyFiles([destination])).toMatchObject({
    code: 1,
    kinds: expect.arrayContaining(['seals_missing']),
  });
});

it('relays messages while the disk is full, and seals every record once there is room', async () => {
  await using folder = await temporaryFolder();
  const destination = join(folder.path, 'audit.log');
  await using stage = await openStage({ files, fileBlocks: 128, config: { audit: { destination, seal } } });
  await using client = await stage.connect();
  for (let n = 0; n < 200; n++) expect(statusOf(await client.exchange(post({ target: `/${n}` })))).toBe(200);
  const { error } = await stage.gateway.logged(says('audit records cannot be written'));
  expect(error).toContain('EFBIG');
  expect(readFileSync(destination)).toHaveLength(128 * 512);
  // Another program makes room.
  renameSync(destination, `${destination}.1`);
  expect(await stage.gateway.logged(says('audit records are written again'))).toMatchObject({ lost: 0 });
  renameSync(destination, `${destination}.0`);
  expect(await stage.gateway.stop()).toEqual({ code: 0 });
  const order = ['.1', '.0', ''].map((end) => `${destination}${end}`);
  const report = followSeals(order, publicKey);
  expect(report).toMatchObject({ problems: [], tail: 0, lost: 0 });
  expect(pathsOf(report.records)).toEqual(Array.from({ length: 200 }, (_, n) => `/${n}`));
  expect((await verifyFiles(order)).code).not.toBe(1);
});

it('writes whole lines again after the full file was emptied, and says truncated', async () => {
  await using folder = await temporaryFolder();
  const destination = join(folder.path, 'audit.log');
  await using stage = await openStage({ files, fileBlocks: 128, config: { audit: { destination, seal } } });
  await using client = await stage.connect();
  for (let n = 0; n < 200; n++) expect(statusOf(await client.exchange(post()))).toBe(200);
  await stage.gateway.logged(says('audit records cannot be written'));
  // A part of a line is at its end.
  expect(readFileSync(destination, 'utf8').at(-1)).not.toBe('\n');
  truncateSync(destination);
  await stage.gateway.logged(says('the audit file was shortened by another program'));
  await stage.gateway.logged(says('audit records are written again'));
  expect((await readMetrics(stage.gateway)).get('ehi_audit_truncations_total')).toBe(1);
  expect(await stage.gateway.stop()).toEqual({ code: 0 });
  const lines = readFileSync(destination, 'utf8').split('\n').slice(0, -1);
  expect(() => lines.map((line) => JSON.parse(line))).not.toThrow();
  expect(followSeals([destination], publicKey)).toMatchObject({ problems: [], tail: 0 });
  expect(followSeals([destination]).events[0]).toBe('truncated');
});

it('relays messages while the reader of a pipe does not read, and gives it every record and seal when it does', async () => {
  await using folder = await temporaryFolder();
  const destination = join(folder.path, 'pipe');
  execFileSync('mkfifo', [destination]);
  const pipe = openSync(destination, constants.O_RDONLY | constants.O_NONBLOCK);
  await using stage = await openStage({ files, config: { audit: { destination, seal } } });
  await using client = await stage.connect();
  for (let n = 0; n < 250; n++) expect(statusOf(await client.exchange(post({ target: `/${n}` })))).toBe(200);
  await metricsWhen(stage.gateway, (all) => (all.get('ehi_audit_queue_bytes') ?? 0) > 0);
  const reader = new Socket({ fd: pipe, writable: false });
  let text = '';
  reader.setEncoding('utf8').on('data', (chunk) => {
    text += chunk;
  });
  await metricsWhen(stage.gateway, (all) => all.get('ehi_audit_queue_bytes') === 0);
  expect((await readMetrics(stage.gateway)).get('ehi_audit_records_lost_total')).toBe(0);
  expect(await stage.gateway.stop()).toEqual({ code: 0 });
  await eventually(() => text.includes('"event":"stopped"'));
  reader.destroy();
  await writeFile(join(folder.path, 'read'), text);
  const report = followSeals([join(folder.path, 'read')], publicKey);
  expect(report).toMatchObject({ problems: [], tail: 0, lost: 0 });
  expect(pathsOf(report.records)).toHaveLength(250);
});

it('relays messages while nothing reads stdout, with bounded memory, and states in the next seal what was lost', async () => {
  // Long, and stated several times in an ECS record: few messages fill the queue.
  const path = `/${'path'.repeat(110)}`;
  const audit = { format: 'ecs', seal: { interval: '1s' } };
  await using stage = await openStage({ files, config: { audit }, routes: [{ path }, { path: '/' }] });
  const { gateway } = stage;
  gateway.holdStdout();
  let isFull = false;
  const full = async () => {
    await gateway.logged(says('64 MiB of audit records wait to be written'));
    const samples = await metricsWhen(gateway, (all) => (all.get('ehi_audit_records_lost_total') ?? 0) > 100);
    isFull = true;
    return samples;
  };
  const batch = Buffer.concat(Array.from({ length: 50 }, () => post({ target: path })));
  const sender = async () => {
    await using client = await stage.connect();
    while (!isFull) {
      client.write(batch);
      for (let n = 0; n < 50; n++) expect(statusOf(await client.response())).toBe(200);
    }
  };
  const [samples] = await Promise.all([full(), sender(), sender(), sender(), sender()]);
  expect(statusOf(await stage.send(post()))).toBe(200);
  expect(samples.get('ehi_audit_queue_bytes')).toBeLessThanOrEqual(64 * 1024 * 1024);
  expect(samples.get('ehi_audit_queue_bytes')).toBeGreaterThan(60 * 1024 * 1024);

  gateway.readStdout();
  await metricsWhen(gateway, (all) => all.get('ehi_audit_queue_bytes') === 0);
  const lost = (await readMetrics(gateway)).get('ehi_audit_records_lost_total');
  expect(await gateway.stop()).toEqual({ code: 70 });
  await using folder = await temporaryFolder();
  const read = join(folder.path, 'read');
  await writeFile(read, gateway.stdout.replace(/^\{"type":"ready".*\n/m, ''));
  expect(followSeals([read])).toMatchObject({ problems: [], tail: 0, lost });
}, 300_000);
