/** Describes what the YAML parser cannot read, with its position. */
import { type Document, isScalar, type Scalar, visit, type YAMLError } from 'yaml';

interface SyntaxProblem {
  /** Its start in the text, in characters. */
  readonly offset: number;
  readonly found: string;
  readonly allowed: string;
}

const plain = 'one document of plain YAML 1.2';

/** Never repeats the source, which may hold secrets. */
export function describeSyntax(document: Document.Parsed): SyntaxProblem[] {
  const problems = [...document.errors, ...document.warnings].map((error) => describe(error, document));
  // Errors after a quote that is never closed are consequences of it.
  const unclosed = problems.find(({ found }) => found.endsWith(neverClosed));
  return unclosed === undefined ? problems : problems.filter(({ offset }) => offset <= unclosed.offset);
}

const neverClosed = 'that is never closed';

function describe({ code, message, pos }: YAMLError, document: Document.Parsed): SyntaxProblem {
  const [offset] = pos;
  const problem = (found: string, allowed: string, at = offset) => ({ offset: at, found, allowed });
  switch (code) {
    case 'MISSING_CHAR': {
      const quoted = unclosedQuote(message, document);
      if (quoted === null) break;
      const mark = quoted.type === 'QUOTE_DOUBLE' ? '"' : "'";
      return problem(`a ${mark} ${neverClosed}`, `a ${mark} at the end of the text`, quoted.range?.[0]);
    }
    case 'MULTIPLE_DOCS':
      return problem('a second document (after ---)', 'one document in one file');
    case 'TAB_AS_INDENT':
      return problem('a tab as indentation', 'spaces');
    case 'MULTILINE_IMPLICIT_KEY':
      return problem('a line that is neither a key nor a value', 'key: value, with a space after the colon');
    case 'BAD_INDENT':
      return message.startsWith('Flow ')
        ? problem('a [ or { that is not closed before this line', 'closed brackets, their content indented')
        : problem(
            `an indentation that does not fit (${summaryOf(message)})`,
            'the keys of one mapping in one column',
          );
    case 'BAD_SCALAR_START':
      return problem('a text that begins with @, ` or %', 'quotes around such a text');
    default:
  }
  // The parser's message may quote the source after a colon.
  return problem(`YAML that cannot be read (${summaryOf(message)})`, plain);
}

function summaryOf(message: string): string {
  return message.split(/[:\n]/, 1)[0] ?? '';
}

/** The parser reports a missing quote only at the end of the text: the last quoted text is the one that is not closed. */
function unclosedQuote(message: string, document: Document.Parsed): Scalar | null {
  if (!/quote$/.test(summaryOf(message))) return null;
  let last: Scalar | null = null;
  visit(document, {
    Scalar: (_, node) => {
      if (isScalar(node) && node.type?.startsWith('QUOTE_')) last = node;
    },
  });
  return last;
}
