import { isIP } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { categoryRules } from '../../src/audit/ecs-category.ts';
import { toEcs, toEcsLines } from '../../src/audit/ecs-line.ts';
import { messageSentence } from '../../src/audit/ecs-sentence.ts';
import { ecsConstants, ecsFields, recordTypes } from '../../src/audit/ecs-table.ts';
import { anyLine, anyMessageLine } from '../support/audit/any-record.ts';
import { ecsReference, expectedTypes } from '../support/audit/ecs-reference.ts';

const isNumber = (value: unknown) => typeof value === 'number';
const isText = (value: unknown) => typeof value === 'string';
const checks: Readonly<Record<string, (value: unknown) => boolean>> = {
  keyword: (value) => isText(value) || (Array.isArray(value) && value.every(isText)),
  match_only_text: isText,
  wildcard: isText,
  long: (value) => Number.isSafeInteger(value),
  double: isNumber,
  boolean: (value) => typeof value === 'boolean',
  ip: (value) => isIP(String(value)) > 0 && !String(value).includes('%'),
  date: (value) => isText(value) && !Number.isNaN(Date.parse(String(value))),
  object: (value) => typeof value === 'object',
};
const types = new Map(
  [...ecsConstants, ...Object.values(ecsFields).flat()].map(({ ecs, type }) => [ecs, type]),
);

/** The values of a record by their path; values of the type `object` are not entered. */
function flatten(value: object, prefix = ''): [string, unknown][] {
  return Object.entries(value).flatMap(([key, inner]): [string, unknown][] => {
    const path = `${prefix}${key}`;
    const isLeaf = typeof inner !== 'object' || inner === null || Array.isArray(inner) || types.has(path);
    return isLeaf ? [[path, inner]] : flatten(inner, `${path}.`);
  });
}

describe('the table of ECS fields', () => {
  it('names only fields of the ECS reference, with their type, and fields below ehi', () => {
    const standard = Object.fromEntries([...types].filter(([name]) => !name.startsWith('ehi.')));
    expect(standard).toEqual(ecsReference);
  });

  it('uses values of event.type that ECS expects with one of the categories', () => {
    for (const { category, cases } of Object.values(categoryRules)) {
      const expected = category.flatMap((each) => expectedTypes[each] ?? []);
      for (const { type } of cases) expect(expected).toEqual(expect.arrayContaining([...type]));
    }
  });

  it('has each field of the json format once besides copies, and each ECS field once', () => {
    for (const type of recordTypes) {
      const from = ecsFields[type].filter(({ isCopy }) => !isCopy).map((field) => field.from);
      expect(new Set(from).size).toBe(from.length);
      const names = ecsFields[type].map(({ ecs }) => ecs);
      expect(new Set(names).size).toBe(names.length);
    }
  });
});

describe('an ECS line', () => {
  it('has only fields of the table, with values of their type', () => {
    fc.assert(
      fc.property(anyLine, (line) => {
        for (const [path, value] of flatten(JSON.parse(toEcsLines(line)))) {
          const type = types.get(path);
          expect(type, path).toBeDefined();
          expect(checks[type ?? '']?.(value), `${path} ${JSON.stringify(value)}`).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('of a message has the fields that the table gives it', () => {
    fc.assert(
      fc.property(anyMessageLine, (line) => {
        const record = JSON.parse(line);
        const ecs = JSON.parse(toEcsLines(line));
        const words = { ...record, status: record.status === null ? null : `${record.status}` };
        expect(ecs).toEqual(toEcs('message', record, messageSentence(words)));
      }),
      { numRuns: 500 },
    );
  });

  it('contains no run of digits that the json line masks', () => {
    fc.assert(
      fc.property(anyMessageLine, (line) => {
        const { message } = JSON.parse(toEcsLines(line));
        expect(message).not.toMatch(/\d{13}/);
      }),
    );
  });
});

it('several lines become as many, in order, and a seal stays as it is', () => {
  const seal = '{"type":"seal","seq":1}\n';
  fc.assert(
    fc.property(fc.array(anyLine, { maxLength: 4 }), (lines) => {
      expect(toEcsLines([...lines, seal].join(''))).toBe(
        lines.map((line) => toEcsLines(line)).join('') + seal,
      );
    }),
  );
});
