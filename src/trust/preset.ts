/** The URLs of Thredd's root and issuing CA, by preset ("Connecting to Thredd Guide", section 4). */

const urlsOn = (host: string) => [`https://${host}/root-ca.pem`, `https://${host}/issuer-ca.pem`] as const;

export const presetUrls = {
  sandbox: urlsOn('crl.pki.sandbox.threddid.com'),
  production: urlsOn('crl.pki.threddid.com'),
} as const;

export type PresetName = keyof typeof presetUrls;
