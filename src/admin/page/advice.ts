/** The advice of a reason, taken apart: the likely cause, and what to do on which side. */

export interface AdvicePart {
  readonly label: string;
  readonly text: string;
}

/** As adviceText of explanation.ts writes them. */
const labels: Readonly<Record<string, string>> = {
  Likely: 'Likely cause',
  Client: 'What to do at the client',
  Gateway: 'What to do at the gateway',
};

/** Advice without these labels is one part. */
export function adviceParts(advice: string): readonly AdvicePart[] {
  const [before = '', ...rest] = advice.split(/(?:^|(?<=\.) )(Likely|Client|Gateway): /);
  const named = rest.flatMap((label, index) =>
    index % 2 === 0 ? [{ label: labels[label] ?? label, text: sentence(rest[index + 1] ?? '') }] : [],
  );
  const parts = [{ label: 'What to do', text: before.trim() }, ...named];
  return parts.filter(({ text }) => text !== '');
}

/** Splits a detail into what happened and the advice behind it; an empty advice: the detail has none. */
export function splitDetail(detail: string): { readonly what: string; readonly advice: string } {
  const at = /(?:^|(?<=\. ))(?:Likely|Client|Gateway): /.exec(detail)?.index ?? detail.length;
  return { what: detail.slice(0, at).trim(), advice: detail.slice(at) };
}

function sentence(text: string): string {
  const trimmed = text.trim();
  return trimmed.charAt(0).toUpperCase() + trimmed.slice(1);
}
