/** The optimised .wasm file as base64; only js/inline.ts may import it. */
declare const base64: string;
export default base64;
