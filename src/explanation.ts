/** How a table of reasons explains each reason to an operator: what happened, why, and what to do on which side. */

export interface Explanation {
  /** What happened: a clause without a full stop. */
  readonly says: string;
  /** The likely cause, in the same form; null: what happened says it. */
  readonly cause: string | null;
  /** What the operator of the client does; null: nothing. */
  readonly client: string | null;
  /** What the operator of the gateway does; null: nothing. */
  readonly gateway: string | null;
}

export type Advice = Omit<Explanation, 'says'>;

/** The sentences behind what happened in the detail of an audit record. */
export function adviceText({ cause, client, gateway }: Advice): string {
  const parts = { Likely: cause, Client: client, Gateway: gateway };
  return Object.entries(parts)
    .flatMap(([label, text]) => (text === null ? [] : [`${label}: ${text}.`]))
    .join(' ');
}

const label = /(?:^|(?<=\. ))(Likely|Client|Gateway): /;

/** Splits a detail into what happened and the advice behind it, as `adviceText` writes it; an empty advice: it has none. */
export function splitDetail(detail: string): { readonly what: string; readonly advice: string } {
  const at = label.exec(detail)?.index ?? detail.length;
  return { what: detail.slice(0, at).trim(), advice: detail.slice(at) };
}

/** The parts of an advice, each with its label: `Likely`, `Client` or `Gateway`. */
export function adviceParts(advice: string): readonly (readonly [label: string, text: string])[] {
  const [, ...parts] = advice.split(label);
  return parts.flatMap((each, index) =>
    index % 2 === 0 ? [[each, (parts[index + 1] ?? '').trim()] as const] : [],
  );
}

/** What to do where a limit holds for addresses that are not listed. A range of /0 lists no address, and admits all. */
export const listAddress =
  'list its address in clients.allowlist (if that was empty, with 0.0.0.0/0 and ::/0 beside it: otherwise every other address is refused)';

/** Adds to each reason of a table its `advice` as text. */
export function withAdvice<Table extends Record<string, Explanation>>(
  table: Table,
): { readonly [Name in keyof Table]: Table[Name] & { readonly advice: string } } {
  const entries = Object.entries(table).map(([name, reason]) => [
    name,
    { ...reason, advice: adviceText(reason) },
  ]);
  return Object.fromEntries(entries);
}
