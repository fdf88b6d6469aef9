import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toEcsLines } from '../../../src/audit/ecs-line.ts';
import { findConnection } from '../../../src/auditing/explain/record-search.ts';
import { storyOf } from '../../../src/auditing/explain/steps.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { authority } from '../../support/pki/authority.ts';
import { post } from '../../support/process/client.ts';
import { runCommand } from '../../support/process/command.ts';
import type { AuditRecord } from '../../support/process/gateway.ts';
import { rawClient } from '../../support/process/raw-client.ts';
import { openStage, type Stage } from '../../support/process/stage.ts';

/** The records are those of a real gateway, in two files, of which the older one is compressed. */
describe('audit explain and audit report', () => {
  const opened = new AsyncDisposableStack();
  let stage: Stage;
  let folder: string;
  let files: string[];
  let allowed: AuditRecord;
  let denied: AuditRecord;
  let plain: AuditRecord;
  let messages: AuditRecord[];

  const lines = (records: readonly unknown[]) => records.map((each) => `${JSON.stringify(each)}\n`).join('');
  const explain = (id: string, paths = files) => findConnection(id, { paths, onProgress: () => {} });
  const write = (name: string, records: readonly unknown[]) => {
    const path = join(folder, name);
    writeFileSync(path, lines(records));
    return path;
  };

  beforeAll(async () => {
    folder = opened.use(await temporaryFolder()).path;
    stage = opened.use(await openStage({ routes: [{ path: '/cards' }] }));
    const { gateway } = stage;
    const client = opened.use(await stage.connect());
    await client.exchange(post({ target: '/cards/1' }));
    await client.exchange(post({ target: '/cards/2' }));
    await stage.reload({ limits: { head: '9KiB' } });
    await client.exchange(post({ target: '/nowhere' }));
    await stage.send(post(), { leaf: authority().issueClient() });
    await rawClient(
      { port: gateway.port, localAddress: '127.0.0.9' },
      'GET / HTTP/1.1\r\n\r\n',
      'ANSWER',
      'END',
    );
    plain = await gateway.audit(({ reason }) => reason === 'plain_http');
    denied = await gateway.audit(({ type, reason }) => type === 'handshake' && reason === 'untrusted');
    allowed = await gateway.audit(({ verdict }) => verdict === 'allow');
    await gateway.audit(({ reason }) => reason === 'no_route');
    const { conn_id: id } = allowed;
    const records = gateway.records();
    messages = records.filter(({ type, conn_id }) => type === 'message' && conn_id === id);
    const half = records.indexOf(messages[1] ?? {});
    const older = join(folder, 'audit.log.1.gz');
    writeFileSync(older, gzipSync(lines(records.slice(0, half))));
    files = [write('audit.log', records.slice(half)), older];
  });
  afterAll(() => opened.disposeAsync());

  it('prints each step of a connection in order, across rotated files, with the reload between its messages', async () => {
    const { code, stdout, stderr } = await runCommand(['audit', 'explain', allowed.conn_id, ...files], {
      cwd: folder,
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const parts = [
      `Connection ${allowed.conn_id}\n`,
      'The 2 files cover ',
      'Handshake: the client was allowed',
      `serial ${allowed.leaf.serial}`,
      'Trust anchor: example.',
      'POST /cards/1: status 200, answered by the host',
      'over a new connection',
      'POST /cards/2: status 200, answered by the host',
      'over an open connection that was used again',
      'The configuration was reloaded',
      'Changed: limits.head.',
      'POST /nowhere: status 404, refused by the gateway (no_route)',
      'What happened: no route matches the path.',
      'End: ',
    ];
    let at = 0;
    for (const part of parts) {
      const next = stdout.indexOf(part, at);
      expect(next, `${part} in:\n${stdout}`).toBeGreaterThanOrEqual(at);
      at = next;
    }
  });

  it('explains one message by its request id, and says how many others the connection has', async () => {
    const id = messages[1]?.request_id;
    const { code, stdout } = await runCommand(['audit', 'explain', id, ...files, '--json'], { cwd: folder });
    const report = JSON.parse(stdout);
    expect(code).toBe(0);
    expect(report).toMatchObject({
      ...{ id, found: true, conn_id: allowed.conn_id, request_id: id, unreadable_lines: 0 },
      left_out: { messages: 2, events: 0 },
    });
    const kinds = report.steps.map(({ kind }: { kind: string }) => kind);
    expect(kinds.filter((kind: string) => kind !== 'event')).toEqual(['handshake', 'message']);
  });

  it.each([
    ['a denied client', () => denied, /denied \(untrusted\)/],
    ['plain HTTP', () => plain, /failed \(plain_http\)/],
  ])('says of %s what happened and what to do on which side, each once', async (_, record, title) => {
    const { found } = await explain(record().conn_id);
    if (found === null) throw new Error('not found');
    const [step] = storyOf(found, { budgetMs: 200 }).steps.filter(({ kind }) => kind === 'handshake');
    expect(step?.title).toMatch(title);
    for (const label of ['What happened: ', 'Client side: '])
      expect(step?.details.filter((line) => line.startsWith(label))).toHaveLength(1);
    // The detail of the record has the advice too, which must not stand there twice.
    expect(step?.details.find((line) => line.startsWith('What happened: '))).not.toMatch(
      /Client: |Gateway: /,
    );
  });

  it('says that an id is unknown, with the period of the files and the ids that begin with it, and exits with 1', async () => {
    const start = allowed.conn_id.slice(0, -1);
    const { code, stdout, stderr } = await runCommand(['audit', 'explain', start, ...files], { cwd: folder });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(
      /No record has the conn_id or request_id \S+\. The 2 files cover 20\S+Z to 20\S+Z\.\n/,
    );
    expect(stderr).toContain(allowed.conn_id);
  });

  it('takes an id as it is and not as the begin of a longer one', async () => {
    const other = { ...allowed, conn_id: `${allowed.conn_id}0` };
    const path = write('prefix.log', [
      allowed,
      other,
      { ...messages[0], request_id: `${allowed.conn_id}.12` },
    ]);
    const { found } = await explain(allowed.conn_id, [path]);
    expect(found?.records.filter(({ type }) => type === 'handshake')).toEqual([allowed]);
    const { found: none, suggestions } = await explain(`${allowed.conn_id}.1`, [path]);
    expect({ none, suggestions }).toEqual({ none: null, suggestions: [allowed.conn_id] });
  });

  it('shows a gap, the death of a thread and events of its own trust anchor and of key sets, and no others', async () => {
    const { time } = allowed;
    const seal = { type: 'seal', time, event: 'sealed', chain: '00', seq: 1, lines: 1, lost: 3 };
    const revocation = {
      type: 'revocation',
      time,
      event: 'crl_expired',
      anchor: 'example',
      address: 'http://a',
    };
    const path = write('events.log', [
      allowed,
      seal,
      { ...seal, seq: 2, lost: 0 },
      revocation,
      { ...revocation, anchor: 'other' },
      { ...revocation, time: '2001-01-01T00:00:00.000Z' },
      { type: 'thread', time, event: 'died', thread: 4, detail: null },
      {
        type: 'keys',
        time,
        event: 'changed',
        source: 'https://a/keys',
        detail: null,
        added: [],
        removed: [{}],
      },
    ]);
    const { found } = await explain(allowed.conn_id, [path]);
    if (found === null) throw new Error('not found');
    const { steps, ending } = storyOf(found, { budgetMs: 200 });
    const titles = steps.filter(({ kind }) => kind === 'event').map(({ title }) => title);
    expect(titles).toEqual([
      'Audit: the audit was sealed',
      expect.stringMatching(/^Revocation of example: the CRL in use and its grace have expired/),
      'Relay thread 4 died and was replaced: its connections were reset',
      'Key set https://a/keys: the keys of the set that are in use have changed',
    ]);
    expect(steps.flatMap(({ details }) => details).join('\n')).toContain('GAP: 3 records were lost');
    expect(steps.at(-1)?.details).toContain('Keys added: 0, removed: 1.');
    expect(ending).toContain('reset when the relay thread died');
  });

  it('keeps a bounded number of the messages of a long connection, and those that were not answered', async () => {
    const many = Array.from({ length: 1000 }, (_, index) => ({
      ...messages[0],
      request_id: `${allowed.conn_id}.${index}`,
      outcome: index === 500 ? 'client_gone' : 'answered',
    }));
    const { found } = await explain(allowed.conn_id, [write('many.log', [allowed, ...many])]);
    expect(found?.records).toHaveLength(1 + 50 + 1 + 50);
    expect(found?.records.some(({ outcome }) => outcome === 'client_gone')).toBe(true);
    expect(found?.leftOutMessages).toBe(899);
  });

  it('says the same of records in the format ecs', async () => {
    const path = join(folder, 'ecs.log');
    const records = stage.gateway.records();
    writeFileSync(path, toEcsLines(lines(records)));
    const [ecs, json] = [await explain(denied.conn_id, [path]), await explain(denied.conn_id)];
    if (ecs.found === null || json.found === null) throw new Error('not found');
    const budgetMs = 200;
    expect(storyOf(ecs.found, { budgetMs })).toEqual(storyOf(json.found, { budgetMs }));
  });

  it('says that a message is late by --budget, by default 200 ms', async () => {
    const slow = { ...messages[0], total_ms: 350.5, upstream_ms: 300 };
    const args = ['audit', 'explain', allowed.conn_id, write('slow.log', [allowed, slow])];
    const run = (...options: string[]) => runCommand([...args, ...options], { cwd: folder });
    expect((await run()).stdout).toMatch(/, LATE\n.* That is more than the budget of 200 ms\./s);
    expect((await run('--budget', '350')).stdout).toContain('That is more than the budget of 350 ms.');
    const { stdout } = await run('--budget', '351ms', '--json');
    expect(JSON.parse(stdout)).toMatchObject({ found: true, budget_ms: 351 });
    expect(stdout).not.toMatch(/LATE|more than the budget/);
    expect(await run('--budget', '0')).toMatchObject({
      ...{ code: 64, stderr: '--budget: found 0; allowed milliseconds, such as 200ms\n' },
    });
  });

  it('counts lines that cannot be read and goes on', async () => {
    const path = write('damaged.log', [allowed]);
    writeFileSync(path, `not JSON\n${lines([allowed])}`);
    expect(await explain(allowed.conn_id, [path])).toMatchObject({
      unreadable: 1,
      found: { connId: allowed.conn_id },
    });
  });

  it('reports on the same files by the fields of --by, and refuses a period that is none', async () => {
    const args = ['audit', 'report', ...files, '--by', 'reason,verdict', '--csv'];
    const { code, stdout } = await runCommand(args, { cwd: folder });
    expect(code).toBe(0);
    const rows = stdout.split('\r\n').map((row) => row.split(',').slice(0, 4).join());
    expect(rows[0]).toBe('reason,verdict,handshakes,messages');
    expect(rows).toEqual(expect.arrayContaining([',allow,1,0', ',answered,0,2', 'untrusted,deny,1,0']));
    const refused = await runCommand([...args, '--since', 'yesterday'], { cwd: folder });
    expect(refused).toMatchObject({ code: 64, stdout: '' });
    expect(refused.stderr).toMatch(/--since: found yesterday; allowed a date /);
  });
});
