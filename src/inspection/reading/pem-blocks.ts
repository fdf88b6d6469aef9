/** Splits PEM text into its blocks, whatever their labels (RFC 7468 §2); text between them is explanatory and ignored. */

export interface PemBlock {
  readonly label: string;
  /** `PEM block 2 (line 31)`. */
  readonly at: string;
  /** Header fields of RFC 1421, which an encrypted key of OpenSSL's old form has. */
  readonly hasHeaders: boolean;
  /** null: `fault` says why. */
  readonly der: Buffer | null;
  /** What is wrong, after `found`; null: nothing. */
  readonly fault: string | null;
}

const boundary = /^-----(BEGIN|END) ([A-Za-z0-9 ]{1,40})-----\s*$/;

/** `text`: read as latin1. */
export function readPemBlocks(text: string): PemBlock[] {
  const blocks: PemBlock[] = [];
  let open: { readonly label: string; readonly at: string; readonly body: string[] } | null = null;
  for (const [index, line] of text.split(/\r\n|\r|\n/).entries()) {
    const written = index === 0 ? line.replace('\xef\xbb\xbf', '') : line;
    const [, edge, label = ''] = boundary.exec(written) ?? [];
    if (edge === undefined) {
      if (open === null && written.includes('-----BEGIN ')) blocks.push(broken(blocks.length, index));
      open?.body.push(written.trim());
      continue;
    }
    if (edge === 'BEGIN') {
      if (open !== null) blocks.push(failed(open, 'a block without its END line'));
      open = { label, at: placeOf(blocks.length, index), body: [] };
    } else if (open !== null) {
      blocks.push(open.label === label ? decode(open) : failed(open, 'an END line with another label'));
      open = null;
    }
  }
  if (open !== null) blocks.push(failed(open, 'a block without its END line: it may be cut off'));
  return blocks;
}

function placeOf(blocks: number, index: number): string {
  return `PEM block ${blocks + 1} (line ${index + 1})`;
}

function broken(blocks: number, index: number): PemBlock {
  const fault = 'a BEGIN line that does not stand alone on its line';
  return { label: '', at: placeOf(blocks, index), hasHeaders: false, der: null, fault };
}

interface OpenBlock {
  readonly label: string;
  readonly at: string;
  readonly body: readonly string[];
}

function failed({ label, at }: OpenBlock, fault: string): PemBlock {
  return { label, at, hasHeaders: false, der: null, fault };
}

/** Node's decoder ignores invalid characters, so that the decoded bytes must encode to the same text again. */
function decode({ label, at, body }: OpenBlock): PemBlock {
  if (body.some((line) => /^[\w-]+: /.test(line)))
    return { label, at, hasHeaders: true, der: null, fault: null };
  const base64 = body.join('');
  const der = Buffer.from(base64, 'base64');
  const isBase64 = der.length > 0 && der.toString('base64') === base64;
  return isBase64
    ? { label, at, hasHeaders: false, der, fault: null }
    : failed({ label, at, body }, 'a block that is not Base64');
}
