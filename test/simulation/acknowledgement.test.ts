import { expect, it } from 'vitest';
import { readAcknowledgement } from '../../src/simulation/acknowledgement.ts';

const soap = (value: string) =>
  `<?xml version="1.0"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><GetTransactionResponse xmlns="http://tempuri.org/"><GetTransactionResult>${value}</GetTransactionResult></GetTransactionResponse></s:Body></s:Envelope>`;

/** As the body of an answer is read. */
const latin1 = (text: string) => Buffer.from(text).toString('latin1');

it.each([
  ['{"Acknowledgement":"1","Responsestatus":"00"}', 'acknowledged'],
  ['{"Acknowledgement":1}', 'acknowledged'],
  ['{"GetTransactionResult":{"Acknowledgement":"1"}}', 'acknowledged'],
  [soap('<Acknowledgement>1</Acknowledgement>'), 'acknowledged'],
  [soap('<a:Acknowledgement xmlns:a="urn:a"> 1 </a:Acknowledgement>'), 'acknowledged'],
  [latin1('\ufeff{"Acknowledgement":1}'), 'acknowledged'],
  [latin1(`\ufeff${soap('<Acknowledgement>1</Acknowledgement>')}`), 'acknowledged'],
  ['{"Acknowledgement":"0"}', 'refused'],
  ['{"Acknowledgement":[1]}', 'refused'],
  ['{"Acknowledgement":true}', 'refused'],
  ['{"Acknowledgement":"11"}', 'refused'],
  ['{"Acknowledgement":null}', 'refused'],
  [soap('<Acknowledgement>0</Acknowledgement>'), 'refused'],
  [soap('<Acknowledgement></Acknowledgement>'), 'refused'],
  ['{"acknowledgement":"1"}', 'absent'],
  ['{"Responsestatus":"00"}', 'absent'],
  ['"Acknowledgement: 1"', 'absent'],
  ['{"Acknowledgement":"1"', 'absent'],
  ['null', 'absent'],
  ['', 'absent'],
  [soap('<NoAcknowledgement>1</NoAcknowledgement>'), 'absent'],
  [`${'{"a":'.repeat(9)}{"Acknowledgement":"1"}${'}'.repeat(9)}`, 'absent'],
])('%s is read as %s', (body, reading) => {
  expect(readAcknowledgement(body)).toBe(reading);
});
