/** Words and place for what the YAML parser cannot read. */
import { type Document, isScalar, type Scalar, visit, type YAMLError } from 'yaml';

export interface SyntaxFinding {
  /** Where in the text it begins. */
  readonly offset: number;
  readonly found: string;
  readonly allowed: string;
}

const plain = 'one document of plain YAML 1.2';

/** Never repeats the source, which may hold what no log should. */
export function describeSyntax(document: Document.Parsed): SyntaxFinding[] {
  const findings = [...document.errors, ...document.warnings].map((error) => describe(error, document));
  // What follows a quote that is never closed was not read as it was meant.
  const unclosed = findings.find(({ found }) => found.endsWith(neverClosed));
  return unclosed === undefined ? findings : findings.filter(({ offset }) => offset <= unclosed.offset);
}

const neverClosed = 'that is never closed';

function describe({ code, message, pos }: YAMLError, document: Document.Parsed): SyntaxFinding {
  const [offset] = pos;
  const finding = (found: string, allowed: string, at = offset) => ({ offset: at, found, allowed });
  switch (code) {
    case 'MISSING_CHAR': {
      const quoted = unclosedQuote(message, document);
      if (quoted === null) break;
      const mark = quoted.type === 'QUOTE_DOUBLE' ? '"' : "'";
      return finding(`a ${mark} ${neverClosed}`, `a ${mark} at the end of the text`, quoted.range?.[0]);
    }
    case 'MULTIPLE_DOCS':
      return finding('a second document (after ---)', 'one document in one file');
    case 'TAB_AS_INDENT':
      return finding('a tab as indentation', 'spaces');
    case 'MULTILINE_IMPLICIT_KEY':
      return finding('a line that is neither a key nor a value', 'key: value, with a space after the colon');
    case 'BAD_INDENT':
      return message.startsWith('Flow ')
        ? finding('a [ or { that is not closed before this line', 'closed brackets, their content indented')
        : finding(
            `an indentation that does not fit (${wordsOf(message)})`,
            'the keys of one mapping in one column',
          );
    case 'BAD_SCALAR_START':
      return finding('a text that begins with @, ` or %', 'quotes around such a text');
    default:
  }
  // What stands after a colon may quote the source.
  return finding(`YAML that cannot be read (${wordsOf(message)})`, plain);
}

function wordsOf(message: string): string {
  return message.split(/[:\n]/, 1)[0] ?? '';
}

/** The parser notices a missing quote at the end of the text only: the last quoted text is the one that ran on to it. */
function unclosedQuote(message: string, document: Document.Parsed): Scalar | null {
  if (!/quote$/.test(wordsOf(message))) return null;
  let last: Scalar | null = null;
  visit(document, {
    Scalar: (_, node) => {
      if (isScalar(node) && node.type?.startsWith('QUOTE_')) last = node;
    },
  });
  return last;
}
