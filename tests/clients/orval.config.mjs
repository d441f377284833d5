export default {
  quire: {
    input: "./openapi.json",
    output: {
      target: "./orval-client.ts",
      client: "fetch",
      override: { mutator: { path: "./orval_fetch.ts", name: "send" } },
    },
  },
};
