/** What both directions of `certs p12` share: options, and the password. */
import { printable } from '../terminal/printable.ts';
import { readSecret } from '../terminal/secret.ts';

export interface Pkcs12Options {
  readonly passwordFile?: string;
  readonly out: string;
  readonly force: boolean;
  readonly json: boolean;
}

/** From the file, or asked for on the terminal. Throws UsageError. */
export function readPassword(request: {
  readonly file: string;
  readonly options: Pkcs12Options;
  readonly confirm: boolean;
}): Promise<string> {
  const { file, options, confirm } = request;
  return readSecret({
    name: `password of ${printable(file)}`,
    option: '--password-file',
    confirm,
    ...(options.passwordFile === undefined ? {} : { file: options.passwordFile }),
  });
}
