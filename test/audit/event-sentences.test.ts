import { expect, it } from 'vitest';
import {
  type EventSentence,
  revocationSentences,
  sentenceOf,
  trustSentences,
} from '../../src/audit/event-sentences.ts';

const events: [string, EventSentence][] = [
  ...Object.entries(trustSentences),
  ...Object.entries(revocationSentences),
];

it.each(events)('%s is logged as a sentence, and a warning says what to do', (_event, sentence) => {
  expect(sentence.says.split(' ').length).toBeGreaterThan(5);
  expect(sentence.says).not.toMatch(/[.;:]$/);
  expect(sentence.says).toMatch(/^(a|an|the|after|certificates|stored) /);
  if (sentence.level !== 'info') expect(sentenceOf(sentence)).toBe(`${sentence.says}; ${sentence.advice}`);
  expect(sentenceOf(sentence)).not.toContain('undefined');
});
