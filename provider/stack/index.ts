export { type IdentityInputs, identityInputs } from "./identity.ts";
export { Provider, type ProviderArgs } from "./provider.ts";
export { shells } from "./shells.ts";
