// Where this package is installed; an ES module and its CommonJS build have no common way to ask.
module.exports = __filename;
