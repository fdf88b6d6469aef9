import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../support/folder.ts';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

it('prints curl lines that work as printed: 200, 400 and 403', async () => {
  await using folder = await temporaryFolder();
  const node = process.env.NODE_UNDER_TEST ?? process.execPath;
  const demo = spawn(node, [main, 'demo'], { cwd: folder.path, stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(demo, 'exit');
  try {
    const lines: string[] = [];
    for await (const line of createInterface({ input: demo.stdout })) {
      if (line.startsWith('curl ')) lines.push(line);
      if (lines.length === 3) break;
    }
    const pages = [];
    for (const line of lines) {
      const curl = spawn('sh', ['-c', line], { stdio: ['ignore', 'pipe', 'ignore'] });
      pages.push(await text(curl.stdout));
    }
    expect(pages.map((page) => page.split('\r\n')[0])).toEqual([
      'HTTP/1.1 200 OK',
      'HTTP/1.1 400 Bad Request',
      'HTTP/1.1 403 Forbidden',
    ]);
    expect(pages[0]).toContain('"Acknowledgement":"1"');
    expect(pages[1]).toContain('400 No required SSL certificate was sent');
  } finally {
    demo.kill('SIGTERM');
  }
  expect(await exited).toEqual([0, null]);
});
