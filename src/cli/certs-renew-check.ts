export interface RenewCheckOptions {
  readonly config: string;
  readonly days: number;
  readonly json: boolean;
}
export async function renewCheck(_options: RenewCheckOptions): Promise<number> {
  return 0;
}
