/** No FLAC frame begins here, or what looked like one is damaged. */
export class DamagedFrame extends Error {}
