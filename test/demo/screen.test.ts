import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { formatScreen } from '../../src/demo/screen.ts';

const [, started = ''] = process.argv;
afterEach(() => {
  process.argv[1] = started;
});

it.each([
  ['/src/main.ts', `${process.execPath} /src/main.ts simulate `],
  ['/dist/main.js', `${process.execPath} /dist/main.js simulate `],
  ['/usr/bin/ehi-gateway', 'ehi-gateway simulate '],
])('a demo that was started as %s prints a line that starts the same program', (main, line) => {
  process.argv[1] = main;
  const ports = { gateway: 1, admin: 2, directory: 3, revocation: 4, authorization: 6, host: 5 };
  const screen = formatScreen({ folder: join('/', 'certs', 'dev'), ports, verbose: false });
  expect(screen.split('\n').filter((each) => each.startsWith(line))).toHaveLength(1);
});
