/**
 * The content of the messages: field names of Thredd's EHI guide, values from a seed.
 *
 * No value has more than twelve digits in a row, so that none can be a card number (13 to 19 digits, ISO/IEC 7812-1). Fields
 * that hold card or authentication data (DE48, DE52, DE55, CVV2, expiry dates, accounts) are left out.
 */
import type { Random } from './random.ts';

export type MessageType = 'authorisation' | 'reversal' | 'presentment' | 'cut-off';

export type Fields = Readonly<Record<string, string | number>>;

interface TransactionKind {
  /** Message type identifier (ISO 8583). */
  readonly MTID: string;
  /** EHI's code of the event: A authorisation, D its reversal, P presentment. */
  readonly Txn_Type: string;
  readonly Txn_Stat_Code: string;
  readonly Proc_Code: string;
  readonly Note: string;
}

const kinds: Record<Exclude<MessageType, 'cut-off'>, TransactionKind> = {
  authorisation: {
    MTID: '0100',
    Txn_Type: 'A',
    Txn_Stat_Code: 'A',
    Proc_Code: '000000',
    Note: 'authorisation request',
  },
  reversal: {
    MTID: '0400',
    Txn_Type: 'D',
    Txn_Stat_Code: 'A',
    Proc_Code: '000000',
    Note: 'reversal of an authorisation',
  },
  presentment: {
    MTID: '1240',
    Txn_Type: 'P',
    Txn_Stat_Code: 'S',
    Proc_Code: '000000',
    Note: 'first presentment',
  },
};

const merchants = [
  { name: 'CORNER GROCERY', town: 'LONDON', country: 'GBR', category: '5411', says: 'Grocery Stores' },
  { name: 'NORTH RAILWAY', town: 'LEEDS', country: 'GBR', category: '4112', says: 'Passenger Railways' },
  { name: 'CAFE AM MARKT', town: 'BERLIN', country: 'DEU', category: '5814', says: 'Fast Food Restaurants' },
  { name: 'PHARMACIE DU PONT', town: 'LYON', country: 'FRA', category: '5912', says: 'Drug Stores' },
  { name: 'EXAMPLE BOOKS', town: 'DUBLIN', country: 'IRL', category: '5942', says: 'Book Stores' },
] as const;

const currencies: Readonly<Record<string, string>> = { GBR: '826', DEU: '978', FRA: '978', IRL: '978' };

export interface TransactionOptions {
  readonly type: Exclude<MessageType, 'cut-off'>;
  /** Unique in one simulation; at most twelve digits. */
  readonly id: number;
  readonly random: Random;
  /** When the event happened. */
  readonly at: Date;
  /** How many times the message was sent before. */
  readonly attempt: number;
}

/** The body of a GetTransaction message. */
export function transactionFields({ type, id, random, at, attempt }: TransactionOptions): Fields {
  const kind = kinds[type];
  const { name, town, country, category, says } = random.pick(merchants);
  const currency = currencies[country] ?? '826';
  const amount = (1 + random.below(25_000)) / 100;
  const debit = (type === 'reversal' ? amount : -amount).toFixed(2);
  const balance = (100 + random.below(500_000) / 100).toFixed(2);
  const token = random.digits(9);
  const stamp = timestamp(at);
  return {
    Acquirer_id_DE32: random.digits(6),
    ActBal: balance,
    Additional_Amt_DE54: '',
    Amt_Tran_Fee_DE28: 'C00000000',
    Auth_Code_DE38: type === 'authorisation' ? '' : random.digits(6),
    Authorised_by_GPS: type === 'authorisation' ? 'N' : 'Y',
    Avl_Bal: balance,
    Bill_Amt: debit,
    Bill_Ccy: '826',
    BlkAmt: type === 'authorisation' ? debit : '0.00',
    CU_Group: 'CU-GROUP-001',
    Cust_Ref: `CUSTOMER-${random.digits(6)}`,
    Dom_Fee_Fixed: '0.00',
    Dom_Fee_Rate: '0.00',
    FX_Fee_Fixed: '0.00',
    FX_Fee_Rate: '0.00',
    FX_Pad: '0.00',
    Fee_Fixed: '0.00',
    Fee_Rate: '0.00',
    GPS_POS_Capability: 'capability chip, contactless; attended; on premises',
    GPS_POS_Data: 'contactless chip; cardholder present; no manual entry',
    InstCode: 'EXA',
    LoadSRC: '',
    LoadType: '',
    MCC_Code: category,
    MCC_Desc: says,
    MCC_Pad: '0.00',
    MTID: kind.MTID,
    Merch_ID_DE42: `MERCHANT${random.digits(7)}`,
    Merch_Name_DE43: `${name.padEnd(22)} ${town.padEnd(13)} ${country}`,
    Network_Chargeback_Reference_Id: '',
    Non_Dom_Fee_Fixed: '0.00',
    Non_Dom_Fee_Rate: '0.00',
    Note: `simulated: ${kind.Note}`,
    POS_Data_DE22: random.digits(12),
    POS_Termnl_DE41: `TERM${random.digits(4)}`,
    POS_Time_DE12: stamp.slice(11, 19).replaceAll(':', ''),
    Proc_Code: kind.Proc_Code,
    ProductID: random.digits(5),
    Resp_Code_DE39: '00',
    Ret_Ref_No_DE37: random.digits(12),
    SendingAttemptCount: attempt,
    Settle_Amt: debit,
    Settle_Ccy: currency,
    Status_Code: '00',
    SubBIN: random.digits(8),
    TLogIDOrg: type === 'authorisation' ? 0 : Number(random.digits(9)),
    TXN_Time_DE07: stamp.slice(5, 19).replaceAll(/\D/g, ''),
    TXn_ID: id,
    Token: token,
    Trans_link: `LINK-${random.digits(10)}`,
    Txn_Amt: amount.toFixed(2),
    Txn_CCy: currency,
    Txn_Ctry: country,
    Txn_Desc: `${name} ${town}`,
    Txn_GPS_Date: stamp,
    Txn_Stat_Code: kind.Txn_Stat_Code,
    Txn_Type: kind.Txn_Type,
    VL_Group: 'VL-GROUP-001',
  };
}

/** The body of a Cut_Off message, which closes a period; EHI gives it no SendingAttemptCount. */
export function cutOffFields({ id, random, at }: Pick<TransactionOptions, 'id' | 'random' | 'at'>): Fields {
  const acknowledged = random.below(10_000);
  return {
    CutOffId: id,
    ProductId: Number(random.digits(5)),
    CutOffDate: timestamp(at),
    FirstTransactionId: Math.max(1, id - acknowledged),
    LastTransactionId: id,
    AuthsAcknowledged: acknowledged,
    AuthsNotAcknowledged: 0,
    FinancialsAcknowledged: random.below(5_000),
    FinancialsNotAcknowledged: 0,
    LoadsUnloadsAcknowledged: 0,
    LoadsUnloadsNotAcknowledged: 0,
    BalanceAdjustExpiryAcknowledged: 0,
    BalanceAdjustExpiryNotAcknowledged: 0,
  };
}

/** `2026-01-31 12:00:00.000`, as EHI writes a time. */
function timestamp(at: Date): string {
  return at.toISOString().slice(0, 23).replace('T', ' ');
}
