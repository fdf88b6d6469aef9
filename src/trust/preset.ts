/** Where Thredd publishes the root and the issuing CA of its directory ("Connecting to Thredd Guide", section 4). */

const directory = (host: string) => [`https://${host}/root-ca.pem`, `https://${host}/issuer-ca.pem`] as const;

export const presets = {
  sandbox: directory('crl.pki.sandbox.threddid.com'),
  production: directory('crl.pki.threddid.com'),
} as const;

export type PresetName = keyof typeof presets;
