//! The vocabulary of a lot's machine: its states, its events and what follows a transition.
//!
//! Promise: the names are the ones on the wire, in the database and in the record, and never change meaning.
//! Deliberately not here: which event leads where (the editions' tables).

use crate::rules::names::named;

named! {
    /// Where a lot stands.
    pub enum State {
        /// Being written by the initiator.
        Draft = "draft", "草稿", "draft";
        /// Submitted to the centre for entry.
        Registering = "registering", "登记审核中", "registering";
        /// Entered; the notice is being prepared.
        Registered = "registered", "已登记", "registered";
        /// The notice is out; bids are accepted until the deadline.
        Noticed = "noticed", "公告及投标中", "noticed";
        /// The box is closed; nothing is unsealed.
        Closed = "closed", "投标截止", "closed";
        /// The opening session runs.
        Opening = "opening", "开标中", "opening";
        /// Bids are open and read out.
        Opened = "opened", "已开标", "opened";
        /// The evaluation report is filed.
        Evaluated = "evaluated", "评审完成", "evaluated";
        /// The ranked candidates are published.
        Publicity = "publicity", "中标候选人公示中", "candidate publicity";
        /// The publicity ended without an open objection.
        Awardable = "awardable", "公示期满", "awardable";
        /// Awarded; the parties are notified.
        Awarded = "awarded", "已定标", "awarded";
        /// The notice of the result runs.
        Published = "published", "结果公告中", "result published";
        /// Finished with a result.
        Concluded = "concluded", "已完成", "concluded";
        /// Finished without a result.
        Unsuccessful = "unsuccessful", "流标", "unsuccessful";
        /// Stopped on purpose.
        Terminated = "terminated", "已终止", "terminated";
    }
}

impl State {
    /// Those in which a procedure has ended, however it did: nothing is decided about the lot any more.
    pub const SETTLED: [Self; 3] = [Self::Concluded, Self::Unsuccessful, Self::Terminated];

    /// Whether the box is still open or does not exist yet: sealed facts are then told to nobody.
    pub const fn is_before_closing(self) -> bool {
        matches!(self, Self::Draft | Self::Registering | Self::Registered | Self::Noticed)
    }

    /// Whether the sealed payloads of a lot in this state are still to be opened.
    pub const fn needs_payloads(self) -> bool {
        matches!(self, Self::Noticed | Self::Closed | Self::Opening)
    }

    /// Whether a lot stays in this state for good.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Concluded | Self::Unsuccessful | Self::Terminated)
    }
}

named! {
    /// What can happen to a lot.
    pub enum Event {
        /// The initiator asks the centre for entry.
        Submit = "submit", "提交登记", "submit for registration";
        /// The centre returns it with the complete list of deficiencies.
        Return = "return", "一次性告知补正", "return with all deficiencies";
        /// The centre enters it.
        Accept = "accept", "受理登记", "accept registration";
        /// The initiator publishes the notice.
        Publish = "publish", "发布公告", "publish the notice";
        /// The initiator publishes a clarification or addendum.
        Clarify = "clarify", "发布澄清或修改", "publish a clarification";
        /// The initiator moves the deadline later.
        Extend = "extend", "延长截止时间", "extend the deadline";
        /// The initiator changes disclosed content, which restarts the disclosure.
        Amend = "amend", "变更披露内容", "amend the disclosure";
        /// Somebody puts the lot on hold.
        PlaceHold = "place_hold", "中止", "place a hold";
        /// Somebody releases a hold.
        ReleaseHold = "release_hold", "恢复", "release a hold";
        /// The box closes.
        CloseBidding = "close_bidding", "投标截止", "close bidding";
        /// The opening begins.
        BeginOpening = "begin_opening", "开始开标", "begin the opening";
        /// The lot ends without a result.
        DeclareUnsuccessful = "declare_unsuccessful", "宣布流标", "declare unsuccessful";
        /// The opening session was closed.
        FinishOpening = "finish_opening", "结束开标", "finish the opening";
        /// Of two envelopes the first is judged; the prices of those who passed open.
        OpenPrices = "open_prices", "开启报价信封", "open the price envelopes";
        /// The evaluation report is filed.
        CompleteEvaluation = "complete_evaluation", "完成评审", "complete the evaluation";
        /// The ranked candidates are published.
        PublishCandidates = "publish_candidates", "公示中标候选人", "publish the candidates";
        /// The publicity of candidates ends.
        EndPublicity = "end_publicity", "公示期满", "end the publicity";
        /// The initiator awards.
        Award = "award", "定标", "award";
        /// The result is published.
        PublishResult = "publish_result", "发布结果公告", "publish the result";
        /// The notice of the result ends.
        Conclude = "conclude", "结果公告期满", "conclude";
        /// The initiator stops the lot.
        Terminate = "terminate", "终止", "terminate";
        /// A new lot is made out of one that ended without a result.
        Retender = "retender", "重新招标", "re-tender";
    }
}

named! {
    /// What follows a transition; features carry it out in the same commit.
    pub enum Effect {
        /// Publish the invitation to bid or disclosure.
        PublishNotice = "publish_notice", "发布公告", "publish the notice";
        /// Publish the clarification.
        PublishClarification = "publish_clarification", "发布澄清", "publish the clarification";
        /// Publish that the deadline moved.
        PublishNewDeadline = "publish_new_deadline", "发布延期公告", "publish the new deadline";
        /// Publish that the lot is on hold.
        PublishSuspension = "publish_suspension", "发布中止公告", "publish the suspension";
        /// Publish that the lot goes on.
        PublishResumption = "publish_resumption", "发布恢复公告", "publish the resumption";
        /// Publish the opening record.
        PublishOpeningRecord = "publish_opening_record", "公布开标记录", "publish the opening record";
        /// Publish who passed the first of two envelopes, and who did not.
        PublishPassed = "publish_passed", "公布第一信封评审结果", "publish who passed the first envelope";
        /// Publish the ranked candidates.
        PublishCandidates = "publish_candidates", "公示中标候选人", "publish the candidates";
        /// Publish the result.
        PublishResult = "publish_result", "公告结果", "publish the result";
        /// Publish that the lot is unsuccessful.
        PublishFailure = "publish_failure", "公告流标", "publish the failure";
        /// Publish that the lot is terminated.
        PublishTermination = "publish_termination", "公告终止", "publish the termination";
        /// Tell everybody who obtained the documents and everybody who bid, one message each.
        TellHolders = "tell_holders", "逐一通知文件获取人和投标人", "tell document holders and bidders";
        /// Tell the initiator.
        TellInitiator = "tell_initiator", "通知项目单位", "tell the initiator";
        /// Tell the centre.
        TellCentre = "tell_centre", "通知交易中心", "tell the centre";
        /// Notify the awardee and every other bidder.
        NotifyBidders = "notify_bidders", "通知中标人和未中标人", "notify the awardee and the others";
        /// The disclosure begins, or begins again, now.
        StartDisclosure = "start_disclosure", "起算信息披露期", "start the disclosure period";
        /// The deadline and the opening move.
        MoveDeadline = "move_deadline", "变更截止和开标时间", "move the deadline and the opening";
        /// The hold is entered.
        RecordHold = "record_hold", "记录中止", "enter the hold";
        /// The hold is lifted.
        ClearHold = "clear_hold", "解除中止", "lift the hold";
        /// The box is frozen and counted.
        FreezeBids = "freeze_bids", "冻结投标文件", "freeze the bids";
        /// An opening session begins.
        OpenSession = "open_session", "开启开标会", "open the session";
        /// Bids that passed the first envelope go into the second round.
        QualifyPassed = "qualify_passed", "通过者进入报价开标", "take those who passed into the second round";
        /// Destroy the second envelopes that stayed sealed, and their key: there is nothing left to open.
        DestroyUnopened = "destroy_unopened", "销毁未拆封的第二信封和托管密钥", "destroy second envelopes and deposited keys that stayed sealed";
        /// The sealed entries of the record are released to everybody entitled.
        ReleaseEntries = "release_entries", "解封审计记录", "release the sealed entries";
        /// The sealed entries are released to inspectors only.
        ReleaseEntriesToInspectors = "release_entries_to_inspectors", "仅向监察解封审计记录", "release the sealed entries to inspectors";
        /// The private key is erased: what was not opened stays closed for good.
        EraseKey = "erase_key", "销毁私钥", "erase the private key";
        /// The publicity of candidates begins.
        StartPublicity = "start_publicity", "起算公示期", "start the publicity period";
        /// The notice of the result begins.
        StartResultNotice = "start_result_notice", "起算结果公告期", "start the result notice";
        /// A new draft lot is made, linked to this one.
        CreateSuccessor = "create_successor", "生成新的标段", "create the successor lot";
    }
}
