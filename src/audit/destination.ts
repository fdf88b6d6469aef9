/** What the writer needs from the audit destination: stdout, stderr, or a file that is opened again when its path names another file. */

export interface Output {
  readonly descriptor: number;
  /** false for stdout and stderr: if their pipe has lost its reader, no retry can succeed. A path may work again. */
  readonly isPath: boolean;
  /** Bytes of the file; null: it is no regular file. */
  readonly size: number | null;
  /** As `follow` found it: the path names another file, or none. */
  readonly isMoved: boolean;
  /** The file had a part of a line at its end when it was opened: a newline must come before the first record. */
  readonly endsInPart: boolean;
  /** To be called after each write. */
  wrote(bytes: number): void;
  /**
   * Opens the path again if it no longer names the open file.
   *
   * @throws the error of node:fs if there is no file to write to.
   */
  follow(): Promise<Following>;
  /** Renames the file to `.1`, and older ones to the next number, and opens a new one. Resolves with the new path of the file. */
  rotate(keep: number): Promise<string>;
  /** Writes to disk what was written to the file and to those before it. Rejects with the error of node:fs. */
  sync(): Promise<void>;
  /** Does not wait for a write in progress, which may hang in the kernel. */
  close(): void;
}

export interface Following {
  /**
   * `reopened`: the next lines go to a new file. An error: the path names another file that cannot be opened; lines still
   * go to the open file, which has been moved.
   */
  readonly place: 'unchanged' | 'reopened' | Error;
  /** Something else has shortened the file that was open. */
  readonly isTruncated: boolean;
}
