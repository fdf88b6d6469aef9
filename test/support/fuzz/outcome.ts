/** Result for one chain: the class that it is counted in, or a failure. */
export type Outcome = { readonly ok: string } | { readonly failed: string };
