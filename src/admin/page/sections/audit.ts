/** The section on the audit log: whether records are written, sealed, and none is lost. */
import type { AuditStatus } from '../../status-schema.ts';
import { type Content, type Element, el } from '../element.ts';
import { formatBytes, formatCount } from '../format.ts';
import { badge, code, moment } from '../pieces.ts';

/** `now`: the gateway's clock, ms. */
export function auditView(audit: AuditStatus, now: number): Element {
  const { destination, failingSince, lost, queuedBytes, seal } = audit;
  return el('dl', { class: 'pairs' }, [
    pair(
      'Records',
      failingSince === null
        ? badge('good', 'written')
        : [badge('bad', 'not written'), ' since ', moment(failingSince, now)],
    ),
    pair('Destination', code(destination)),
    pair('Lost since the start', lost === 0 ? badge('good', 'none') : badge('bad', formatCount(lost))),
    pair('Waiting to be written', formatBytes(queuedBytes)),
    pair(
      'Last seal',
      seal === null
        ? 'none: audit.seal is not configured, or none was written yet'
        : [`no. ${formatCount(seal.seq)}, `, moment(seal.time, now)],
    ),
  ]);
}

function pair(name: string, ...content: readonly Content[]): Element {
  return el('div', { key: name }, el('dt', {}, name), el('dd', {}, ...content));
}
