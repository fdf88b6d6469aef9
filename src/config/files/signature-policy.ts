/** Makes the signature policy of a route from its configuration, and reads the secret that it shares with a sender. */
import { readFile } from 'node:fs/promises';
import type { SignaturePolicy } from '../../policy/snapshot.ts';
import { replayRate } from '../../signature/replay-memory.ts';
import type { Diagnostic, Diagnostics, Path } from '../diagnostic.ts';
import type { SignatureConfig } from '../schema/signature.ts';
import { sourceOf } from './key-sources.ts';
import { ownersOnly, rightsOfOthers } from './permissions.ts';

/** Below 112 bits a secret can be guessed (NIST SP 800-131A). */
const minBytes = 16;
/** The output length of SHA-256: a shorter secret is weaker than the HMAC that is made with it (RFC 2104 §3). */
const wantedBytes = 32;

interface ReadOptions {
  /** Path of `signature` in the configuration. */
  readonly at: Path;
  readonly diagnostics: Diagnostics;
}

/** null: there is a problem with the secret, which is added to the diagnostics. */
export async function readSignaturePolicy(
  config: SignatureConfig,
  options: ReadOptions,
): Promise<SignaturePolicy | null> {
  const { mode, header, hmac, jwks, timestamp, replay } = config;
  if (replay === 'refuse' && timestamp !== undefined)
    options.diagnostics.warnings.push(...smallMemory(timestamp, options.at));
  const shared = { mode, replay, timestamp: timestamp ?? null };
  if (hmac === undefined)
    return {
      ...shared,
      header: header ?? '',
      scheme: config.scheme ?? 'jws-detached',
      encoding: config.encoding ?? 'base64url',
      algorithms: config.algorithm ?? [],
      kidHeader: config.kid?.header ?? null,
      keys: jwks === undefined ? null : sourceOf(jwks),
      hmac: null,
    };
  const secret = await readSecret(hmac.secretFile, options);
  return (
    secret && {
      ...shared,
      ...{ header: hmac.header, scheme: 'raw', encoding: hmac.encoding, algorithms: [], kidHeader: null },
      ...{ keys: null, hmac: { secret } },
    }
  );
}

/** Without one line break at the end of the file. Reports what is wrong without its content. */
async function readSecret(file: string, { at, diagnostics }: ReadOptions): Promise<Buffer | null> {
  const path = [...at, 'hmac', 'secretFile'];
  const refuse = (found: string, allowed = `a file with a secret of at least ${minBytes} bytes`): null => {
    diagnostics.problems.push({ path, found, allowed });
    return null;
  };
  try {
    const secret = withoutLineBreak(await readFile(file));
    if (secret.length < minBytes) return refuse(`a file with ${secret.length} bytes`);
    // A problem, not a warning: those who read the secret can sign in the name of the sender.
    const rights = await rightsOfOthers(file);
    if (rights !== null) return refuse(`a file ${rights}`, ownersOnly);
    if (secret.length < wantedBytes)
      diagnostics.warnings.push({
        path,
        found: `a file with ${secret.length} bytes: the secret is weaker than SHA-256`,
        allowed: `a secret of at least ${wantedBytes} random bytes`,
      });
    return secret;
  } catch (cause) {
    // Operators write the secret itself here by mistake: the name is not repeated.
    return refuse(`a file that cannot be read (${(cause as NodeJS.ErrnoException).code ?? 'unreadable'})`);
  }
}

function withoutLineBreak(bytes: Buffer): Buffer {
  if (bytes.at(-1) !== 0x0a) return bytes;
  return bytes.subarray(0, bytes.at(-2) === 0x0d ? -2 : -1);
}

/** Messages a second below which `check` warns of the memory against replays. */
const wantedRate = 500;

/** Beyond its rate the memory refuses messages with a good signature. */
function smallMemory({ tolerance }: { readonly tolerance: number }, at: Path): Diagnostic[] {
  const rate = replayRate(tolerance);
  if (rate >= wantedRate) return [];
  let minutes = Math.floor(tolerance / 60_000);
  while (replayRate(minutes * 60_000) < wantedRate) minutes -= 1;
  return [
    {
      path: [...at, 'timestamp', 'tolerance'],
      found: `${tolerance / 1000} seconds: so long the memory of replay: refuse carries ${rate} messages a second, all routes of one mode together; of more, some get 503 (signature_undecided)`,
      allowed: `at most ${minutes}m for ${wantedRate} messages a second: by how much the clocks differ, and how long a message is on its way`,
    },
  ];
}
