/** The third part of the comparison with OpenSSL that openssl-fuzz.test.ts begins. */
import { compareWithOpenssl } from '../support/fuzz/comparison.ts';

compareWithOpenssl(3);
