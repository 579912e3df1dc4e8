// All that Pulumi's state knows of the code: never rename this file, and keep the function free of outer names (shells.ts).
module.exports = {
  configure(request) {
    const fromProject = require("node:module").createRequire(`${process.cwd()}/`);
    return fromProject("pulumi-ironic/runtime").attach(this, "stack-identity", request);
  },
};
