/** One line of progress on stderr, rewritten in place; nothing where stderr is no terminal. */

export interface Progress {
  /** Replaces the line; cut to the width of the terminal. */
  show(text: string): void;
  /** Clears the line, so that what follows starts at its beginning. */
  end(): void;
}

export function openProgress(stream: NodeJS.WriteStream = process.stderr): Progress {
  if (!stream.isTTY) return { show: () => {}, end: () => {} };
  const clear = '\r\u001b[2K';
  return {
    show: (text) => stream.write(clear + text.slice(0, Math.max(0, stream.columns - 1))),
    end: () => stream.write(clear),
  };
}
