/** The page for a denied client. */
import { expect } from 'vitest';
import { type Message, statusOf } from './http.ts';

export const refusalTitles = { 400: '400 No required SSL certificate was sent', 403: '403 Forbidden' };

/** Expects the complete page, without the reason of the denial. */
export function expectRefusalPage(answer: Message, status: 400 | 403): void {
  expect(statusOf(answer)).toBe(status);
  expect(answer.field('content-type')).toBe('text/html; charset=utf-8');
  expect(answer.field('connection')).toBe('close');
  expect(answer.field('content-length')).toBe(String(answer.body.length));
  const page = answer.body.toString();
  expect(page).toContain(`<title>${refusalTitles[status]}</title>`);
  // Its text is only the title and the request id, not the reason.
  const words = page.replace(/<title>.*<\/title>/, '').replace(/<[^>]+>/g, ' ');
  expect(words.trim().split(/\s+/)).toEqual([
    ...refusalTitles[status].split(' '),
    'Request',
    answer.field('x-request-id'),
  ]);
}
