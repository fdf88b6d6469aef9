/** What the audit writer reports about its destination, its seals and its files. */

/**
 * Where records go during a failure: `kept` in memory and retried; `lost`, because the destination cannot recover;
 * `elsewhere`, to the moved file that is still open, because the path cannot be opened.
 */
export type Records = 'kept' | 'lost' | 'elsewhere';

export type AuditEvent =
  /** Records cannot be written to the destination. Reported again only if `records` changes. */
  | { readonly type: 'failing'; readonly error: Error; readonly records: Records }
  /** The queue is full: records are lost from now on. Reported once per failure. */
  | { readonly type: 'full' }
  /** Records are written again. `kept`: records that waited; `lost`: records lost; `milliseconds`: duration. */
  | {
      readonly type: 'recovered';
      readonly kept: number;
      readonly lost: number;
      readonly milliseconds: number;
    }
  /** The path named another file or none; it was opened again and takes the next lines. */
  | { readonly type: 'reopened' }
  /** Something else has shortened the open file. */
  | { readonly type: 'truncated' }
  /** The file was renamed to `to` because of its size, and a new one takes the next lines. */
  | { readonly type: 'rotated'; readonly to: string }
  /** The file cannot be rotated and grows. Reported once until a rotation succeeds. */
  | { readonly type: 'rotation_failed'; readonly error: Error }
  /** A chain of seals begins. */
  | { readonly type: 'chain_started'; readonly chain: string }
  /** The chain of an earlier process goes on. `unsealed`: lines that it left without a seal; the next seal covers them. */
  | { readonly type: 'chain_resumed'; readonly chain: string; readonly unsealed: number }
  /** A file could not be read for its last seal: a new chain begins, or the chain goes on behind the remembered seal. */
  | { readonly type: 'chain_unreadable'; readonly error: Error }
  /** The last seal of the files is not one of this gateway, so a new chain begins. `cause`: a sentence without its full stop. */
  | { readonly type: 'seal_refused'; readonly cause: string }
  /** The files do not have the last seal that this gateway wrote, made at `time` (ISO 8601), or end before it: they were cut back, replaced or moved. */
  | {
      readonly type: 'seals_missing';
      readonly chain: string;
      readonly seq: number;
      readonly time: string;
    }
  /** The copy of the last seal cannot be read or written. Reported once until it is written. */
  | { readonly type: 'seal_copy_failed'; readonly error: Error }
  /** A seal could not be made. Records are written without seals until a restart. Reported once. */
  | { readonly type: 'seal_failed'; readonly error: Error };
