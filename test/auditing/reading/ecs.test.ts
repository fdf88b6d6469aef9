import fc from 'fast-check';
import { expect, it } from 'vitest';
import { toEcsLines } from '../../../src/audit/ecs-line.ts';
import { fromEcs } from '../../../src/auditing/reading/ecs.ts';
import { anyLine } from '../../support/audit/any-record.ts';

it('turns every record of ECS back into the record of the json format, with its fields in order', () => {
  fc.assert(
    fc.property(anyLine, (line) => {
      expect(JSON.stringify(fromEcs(JSON.parse(toEcsLines(line))))).toBe(JSON.stringify(JSON.parse(line)));
    }),
    { numRuns: 500 },
  );
});

it.each([{ type: 'seal', time: 'x', seq: 1 }, { type: 'message', conn_id: 'c' }, {}])(
  'returns %j as it is, because it is not in ECS',
  (record) => {
    expect(fromEcs(record)).toBe(record);
  },
);
