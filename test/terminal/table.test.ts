import { expect, it } from 'vitest';
import { formatTable } from '../../src/terminal/table.ts';

it('aligns the columns under their titles, without trailing spaces', () => {
  const text = formatTable({
    columns: [{ title: 'name' }, { title: 'days', align: 'right' }, { title: 'use' }],
    rows: [
      ['root', '1234', 'trust'],
      ['server', '7'],
    ],
  });
  expect(text).toBe(['name    days  use', 'root    1234  trust', 'server     7'].join('\n'));
});

it('measures a painted cell without its escapes, and an accent as part of its letter', () => {
  const text = formatTable({
    columns: [{ title: '' }, { title: '' }],
    rows: [
      ['\u001b[32mok\u001b[39m', 'x'],
      ['u\u0308b', 'x'],
      ['abc', 'x'],
    ],
  });
  expect(text).toBe(['\u001b[32mok\u001b[39m   x', 'u\u0308b   x', 'abc  x'].join('\n'));
});
