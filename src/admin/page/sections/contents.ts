/** The links to the sections, with a sign at those that hold what needs attention. */
import type { Attention } from '../attention.ts';
import { type Content, el } from '../element.ts';
import { sign, spoken } from '../pieces.ts';

/** The ids of page.html, in its order. */
export const sections: readonly (readonly [id: string, name: string])[] = [
  ['now', 'Now'],
  ['verdicts', 'Verdicts'],
  ['latency', 'Latency'],
  ['refused', 'Refused'],
  ['clients', 'Clients'],
  ['certificates', 'Certificates'],
  ['trust', 'Trust'],
  ['keys', 'Keys'],
  ['revocation', 'Revocation'],
  ['upstreams', 'Upstreams'],
  ['changes', 'Changes'],
  ['threads', 'Threads'],
  ['audit', 'Audit'],
];

export function contentsView(found: readonly Attention[]): Content {
  return sections.map(([id, name]) => {
    // The worst of a section comes first.
    const level = found.find(({ section }) => section === id)?.level ?? null;
    return el(
      'li',
      { key: id, class: level ?? '' },
      el('a', { href: `#${id}` }, name, level !== null && [sign(level), spoken(' needs attention')]),
    );
  });
}
