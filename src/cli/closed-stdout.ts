/** Ends a command whose output cannot be written: quietly where the reader has closed its pipe, as `| head` does. */
import { exitCodes } from '../errors.ts';

/** What a shell reports for a program that SIGPIPE ended (128 + 13); Node ignores the signal and reports EPIPE. */
const closedPipe = 141;

/** Until the returned function is called. Without a listener, Node would end the process with a stack. */
export function endWhenOutputIsLost(): () => void {
  const onStdout = (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE')
      process.stderr.write(`stdout: cannot be written (${error.code ?? 'unknown'})\n`);
    end(error);
  };
  process.stdout.on('error', onStdout);
  process.stderr.on('error', end);
  return () => {
    process.stdout.off('error', onStdout);
    process.stderr.off('error', end);
  };
}

function end({ code }: NodeJS.ErrnoException): never {
  process.exit(code === 'EPIPE' ? closedPipe : exitCodes.fault);
}
