import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../support/folder.ts';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** The status of each answer that the line gets, and everything that it prints. */
async function run(line: string): Promise<{ statuses: number[]; page: string }> {
  const curl = spawn('sh', ['-c', line], { stdio: ['ignore', 'pipe', 'ignore'] });
  const page = await text(curl.stdout);
  return { statuses: [...page.matchAll(/^HTTP\/1\.1 (\d+) /gm)].map(([, status]) => Number(status)), page };
}

it('prints curl lines that work as printed, one after the other, and warns of nothing', async () => {
  await using folder = await temporaryFolder();
  const node = process.env.NODE_UNDER_TEST ?? process.execPath;
  const demo = spawn(node, [main, 'demo'], { cwd: folder.path, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = once(demo, 'close');
  const log = text(demo.stderr);
  const records: { type: string; stage?: string; verdict?: string; reason?: string }[] = [];
  const lines: string[] = [];
  const output = createInterface({ input: demo.stdout });
  output.on('line', (line) => {
    if (line.startsWith('{')) records.push(JSON.parse(line));
    if (line.startsWith('curl ')) lines.push(line);
  });
  const closed = new AbortController();
  output.on('close', () => closed.abort());
  try {
    while (lines.length < 6) await once(output, 'line', { signal: closed.signal });
    const answers = [];
    for (const line of lines) answers.push(await run(line));
    expect(answers.map(({ statuses }) => statuses)).toEqual([
      [200],
      [400],
      [403],
      [403],
      [200, 204, 403],
      [204],
    ]);
    expect(answers[0]?.page).toContain('"Acknowledgement":"1"');
    expect(answers[1]?.page).toContain('400 No required SSL certificate was sent');
    expect((await run(lines[0] as string)).statuses).toEqual([200]);
  } finally {
    demo.kill('SIGTERM');
  }
  expect(await ended).toEqual([0, null]);
  const reasons = records.flatMap(({ type, reason }) => (type === 'handshake' ? [reason] : []));
  expect(reasons).toEqual([null, 'no_certificate', 'untrusted', 'revoked', null, 'revoked', null]);
  expect(records.filter(({ type }) => type === 'verdict')).toMatchObject([
    { stage: 'live', verdict: 'deny', reason: 'revoked' },
  ]);
  const loud = (await log).split('\n').filter((line) => line !== '' && JSON.parse(line).level > 30);
  expect(loud).toEqual([]);
});
