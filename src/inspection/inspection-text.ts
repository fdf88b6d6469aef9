/** An inspection for people: one block for each item, one line for each fact. */

import { paint } from '../terminal/colours.ts';
import { printable } from '../terminal/printable.ts';
import { symbol } from '../terminal/symbols.ts';
import type { Inspected } from './inspected-items.ts';

export function describeInspected(item: Inspected): string {
  const lines = linesOf(item).filter(([, value]) => value !== null && value !== '');
  const width = Math.max(...lines.map(([label]) => label.length));
  return [
    titleOf(item),
    ...lines.map(([label, value]) => `  ${label.padEnd(width)}  ${printable(shortTimes(value ?? ''))}`),
    ...judgementLines(item),
  ].join('\n');
}

/** Certificates have no fractions of a second. */
function shortTimes(text: string): string {
  return text.replaceAll(/(T\d\d:\d\d:\d\d)\.000Z/g, '$1Z');
}

const kinds: Readonly<Record<Inspected['kind'], string>> = {
  certificate: 'certificate',
  private_key: 'private key',
  public_key: 'public key',
  request: 'certificate request',
  crl: 'CRL',
  ocsp_response: 'OCSP response',
  other: 'other content',
};

function titleOf({ source, at, kind }: Inspected): string {
  const place = at === null ? '' : `, ${at}`;
  return paint('bold', printable(`${source}${place}: ${kinds[kind]}`));
}

type Line = readonly [label: string, value: string | null];

function linesOf(item: Inspected): readonly Line[] {
  switch (item.kind) {
    case 'certificate':
      return certificateLines(item);
    case 'private_key':
    case 'public_key':
      return [
        ['what', item.kind === 'private_key' ? `${item.what}; it is not shown` : item.what],
        ['key', describeKey(item.key)],
        ['SPKI pin', item.pin],
      ];
    case 'request':
      return [
        ['subject', item.subject],
        ['key', describeKey(item.key)],
        ['signature', item.signature.name],
        ['key usage', list(item.key_usage)],
        ['extended usage', list(item.extended_key_usage)],
        ['names', list(item.sans)],
        ['SPKI pin', item.pin],
      ];
    case 'crl':
      return crlLines(item);
    case 'ocsp_response':
      return [
        ['status', item.response_status],
        ['signature', item.signature?.name ?? null],
        ...item.responses.map((each): Line => ['about', describeResponse(each)]),
      ];
    case 'other':
      return [['what', item.what]];
    default:
      return item satisfies never;
  }
}

type Of<Kind extends Inspected['kind']> = Extract<Inspected, { kind: Kind }>;

function certificateLines(item: Extract<Inspected, { kind: 'certificate' }>): readonly Line[] {
  const shown: Line[] = [
    ['subject', item.subject],
    ['issuer', item.issuer],
    ['serial', item.serial],
    ['valid', `${item.not_before ?? '?'} to ${item.not_after ?? '?'}, ${describeDays(item.days_left)}`],
  ];
  const { key, signature, ca, path_length: below = null } = item;
  if (key !== undefined && signature !== undefined) {
    shown.push(
      ['key', describeKey(key)],
      ['signature', signature.name],
      ['CA', ca === true ? `yes${below === null ? '' : `, ${below} CAs below it`}` : 'no'],
      ['key usage', list(item.key_usage)],
      ['extended usage', list(item.extended_key_usage)],
      ['names', list(item.sans)],
      ['CRL', list(item.crl_distribution_points)],
      ['delta CRL', list(item.delta_crl_distribution_points)],
      ['OCSP', list(item.ocsp)],
      ['issuer at', list(item.ca_issuers)],
    );
  }
  return [
    ...shown,
    ['SPKI pin', item.pin],
    ['SHA-256', item.sha256],
    ['x5t#S256', item['x5t#S256']],
    ['named', item.name],
  ];
}

function crlLines(item: Of<'crl'>): readonly Line[] {
  const { number, delta, entries } = item;
  return [
    ['issuer', item.issuer],
    ['number', number === null ? null : `${number}${delta === true ? ', a delta CRL' : ''}`],
    ['revoked', entries === null ? null : `${entries} certificates`],
    ['this update', item.this_update],
    [
      'next update',
      item.next_update === null ? 'none' : `${item.next_update}, ${describeDays(item.days_left)}`,
    ],
    ['signature', item.signature.name],
  ];
}

function describeResponse({
  serial,
  status,
  revoked_at: at,
  reason,
  ...each
}: Of<'ocsp_response'>['responses'][number]) {
  const revoked = at === null ? '' : ` at ${at}${reason === null ? '' : ` (${reason})`}`;
  const until =
    each.next_update === null ? '' : ` until ${each.next_update}, ${describeDays(each.days_left)}`;
  return `serial ${serial}: ${status}${revoked}; from ${each.this_update}${until}`;
}

function describeKey(
  key: { readonly name: string; readonly strength_bits: number | null } | null,
): string | null {
  if (key === null) return null;
  const { name, strength_bits: bits } = key;
  return bits === null ? name : `${name} (strength ${bits} bits)`;
}

export function describeDays(days: number | null): string {
  if (days === null) return 'unknown';
  if (days < 0) return `ended ${-days} ${days === -1 ? 'day' : 'days'} ago`;
  return `${days} ${days === 1 ? 'day' : 'days'} left`;
}

function list(values: readonly string[] | null | undefined): string | null {
  return values?.join(', ') ?? null;
}

const roles = {
  client: 'as a client certificate',
  server: 'as a server certificate',
  ca: 'as a CA',
} as const;

function judgementLines({ judgement }: Inspected): string[] {
  if (judgement === null) return [];
  const { role, objections, warnings, scope } = judgement;
  const which = role === null ? '' : `${roles[role]}: `;
  const about = scope === '' ? '' : ` (${scope})`;
  if (objections.length === 0 && warnings.length === 0)
    return [`  ${symbol('pass')} ${which}no objection${printable(about)}`];
  return [
    ...objections.map(({ reason, detail, advice }) => {
      const line = `  ${symbol('fail')} ${which}${paint('bold', reason)}: ${printable(detail)}`;
      return advice === null ? line : `${line}\n    ${printable(advice)}`;
    }),
    ...warnings.map((warning) => `  ${symbol('warn')} ${which}${printable(warning)}`),
    ...(scope === '' ? [] : [`    ${printable(scope)}`]),
  ];
}
