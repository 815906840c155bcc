//! What can be wrong in a history.

use std::fmt;

/// Something that must not have happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which promise is broken.
    pub kind: Kind,
    /// The request, if it is about one.
    pub id: Option<String>,
    /// What was found and what was expected.
    pub message: String,
}

/// Which promise is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Because a record that was acknowledged is not where it was.
    Lost,
    /// Because a request is there that nobody sent, or oftener than it was sent.
    RequestInvented,
    /// Because requests of one key or one id are in several partitions.
    Scattered,
    /// Because a request has no answer.
    Unanswered,
    /// Because an answer belongs to no request.
    AnswerInvented,
    /// Because two answers that count say different things about one request.
    Contradicted,
    /// Because something is there twice that may be there once only.
    Repeated,
    /// Because an answer is from a model that the policy does not let answer.
    WrongModel,
    /// Because an answer or a score is not what the model makes of the request, or is there for no reason.
    WrongContent,
    /// Because an answer claims an epoch that no fence before it has begun.
    EpochUnknown,
    /// Because there is no score that the answer can be.
    ScoreMissing,
    /// Because a score belongs to no request.
    ScoreInvented,
    /// Because a record that is no request has no dead letter.
    LetterMissing,
    /// Because a dead letter belongs to no garbage.
    LetterInvented,
    /// Because a caller was told something else than the official answer.
    ToldOtherwise,
    /// Because a caller was told that a good call is wrong.
    RefusedWrongly,
    /// Because requests of one key were answered in another order than they came in.
    OutOfOrder,
    /// Because a commit was beyond a request that was not done.
    CommittedTooFar,
    /// Because a commit went back.
    CommittedBackwards,
    /// Because not everything was committed in the end.
    LeftBehind,
    /// Because a record that a host wrote cannot be read.
    Unreadable,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.id {
            Some(id) => write!(f, "{:?} ({id}): {}", self.kind, self.message),
            None => write!(f, "{:?}: {}", self.kind, self.message),
        }
    }
}
