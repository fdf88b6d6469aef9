/** One line of progress on stderr, rewritten in place; nothing where stderr is no terminal. */

export interface Progress {
  /** Replaces the line; cut to the width of the terminal. */
  show(text: string): void;
  /** Clears the line, so that what follows starts at its beginning. */
  end(): void;
}

export function openProgress(stream: NodeJS.WriteStream = process.stderr): Progress {
  if (!stream.isTTY) return { show: () => {}, end: () => {} };
  // Some terminals do not state their width.
  const width = () => (stream.columns > 0 ? stream.columns : 80) - 1;
  const clear = '\r\u001b[2K';
  return {
    show: (text) => stream.write(clear + text.slice(0, width())),
    end: () => stream.write(clear),
  };
}
